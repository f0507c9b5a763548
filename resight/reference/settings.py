"""Every setting, from the code: `python -m resight.reference.settings > .env.example`."""

import importlib
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from shared import labels, settings
from shared.kafka import topics
from shared.settings import Settings

_WIDTH = 96
_ROOT = Path(settings.__file__).parents[1]

_HEADER = """\
# Settings of Resight, each with its default. Made from the code by `make env-example`.
# Only names that are set count; a name that no service knows stops the service.
"""


def concerns() -> list[type[Settings]]:
    """Return the settings classes: those of all services, then each service's own."""
    names = [*topics.INPUTS, "registry.api"]
    modules = [importlib.import_module(f"services.{name}.settings") for name in names]
    return [kind for module in (settings, labels, *modules) for kind in _classes(module)]


def example() -> str:
    """Return the text of .env.example."""
    return _HEADER + "".join(f"\n{_section(concern)}" for concern in concerns())


def _classes(module: Any) -> Iterator[type[Settings]]:
    for value in vars(module).values():
        if not isinstance(value, type) or value.__module__ != module.__name__:
            continue  # imported there, not defined
        if issubclass(value, Settings) and value.model_config.get("env_prefix"):
            yield value


def _section(concern: type[Settings]) -> str:
    room, service = concern.__module__.split(".")[:2]
    where = "all services" if room == "shared" else service
    lines = [f"# --- {where}: {(concern.__doc__ or '').splitlines()[0]}"]
    prefix = concern.model_config.get("env_prefix", "")
    # What it has in common with other concerns comes last.
    own = [name for name in concern.model_fields if name in concern.__annotations__]
    for name in dict.fromkeys([*own, *concern.model_fields]):
        field = concern.model_fields[name]
        lines += textwrap.wrap(
            field.description or "", _WIDTH, initial_indent="# ", subsequent_indent="# "
        )
        lines.append(f"# {prefix}{name.upper()}={_text(field.get_default())}")
        if field.annotation is SecretStr:
            lines.append(f"# {prefix}{name.upper()}{settings.FROM_FILE}=")
    return "\n".join(lines) + "\n"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path) and value.is_relative_to(_ROOT):
        return str(value.relative_to(_ROOT))  # a file that comes with the code
    return str(value)


if __name__ == "__main__":
    sys.stdout.write(example())
