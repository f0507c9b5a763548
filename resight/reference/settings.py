"""Generates the settings reference: `python -m resight.reference.settings`.

`.env.example` is a template for an environment; `docs/settings.md` the reference.
"""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from shared import environment, labels
from shared import settings as shared_settings
from shared.environment import FROM_FILE, Settings, is_constant, variable_of
from shared.kafka import topics

ROOT = Path(environment.__file__).parents[1]
EXAMPLE, PAGE = ROOT / ".env.example", ROOT / "docs" / "settings.md"

# Section of variables shared by several settings classes.
_SHARED = {
    "TLS": "TLS, except Kafka's",
    "SEGMENTER": "Segmenter",
    "EXTRACTOR": "Keypoint extractor",
}

_EXAMPLE_HEADER = """\
# Resight settings with their defaults; docs/settings.md explains them. Generated: `make settings`.
# Remove the # of a line to change it. An unknown RESIGHT_ variable stops the service.
"""
_PAGE_HEADER = """\
# Settings

Environment variables of the services; `make settings` writes this page from the code. An unknown
`RESIGHT_` variable stops the service and is named. A secret can be read from a file: append `_FILE`
to its name. Variables that the previous version had are still read, with a warning that names the
replacement.

"""


def concerns() -> list[type[Settings]]:
    """Return the settings classes: shared ones, then each service's own."""
    names = [*topics.INPUTS, "registry.api"]
    modules = [importlib.import_module(f"services.{name}.settings") for name in names]
    return [kind for module in (shared_settings, labels, *modules) for kind in _classes(module)]


def sections() -> dict[str, dict[str, tuple[str, str]]]:
    """Return each section's variables with default and description; secrets have no default."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for concern in concerns():
        prefix = str(concern.model_config.get("env_prefix", ""))
        own = found.setdefault(_title(concern), {})
        for name, field in concern.model_fields.items():
            if is_constant(field):
                continue
            variable = variable_of(concern, name)
            entry = _text(field.get_default()), field.description or ""
            if variable.startswith(prefix):
                own[variable] = entry
            else:
                section = _SHARED[variable.split("_")[1]]
                found.setdefault(section, {})[variable] = entry
    return found


def secrets() -> set[str]:
    """Return the variables whose value can be read from a file."""
    return {
        variable_of(concern, name)
        for concern in concerns()
        for name, field in concern.model_fields.items()
        if field.annotation is SecretStr
    }


def example() -> str:
    """Return the text of .env.example."""
    hidden = secrets()
    blocks = []
    for title, entries in sections().items():
        lines = [f"# {title}"]
        for variable, (default, _) in entries.items():
            suffix = FROM_FILE if variable in hidden else ""
            lines.append(f"#{variable}{suffix}={default}")
        blocks.append("\n".join(lines) + "\n")
    return "\n".join([_EXAMPLE_HEADER, *blocks])


def page() -> str:
    """Return the text of docs/settings.md."""
    hidden = secrets()
    parts = []
    for title, entries in sections().items():
        rows = ["| variable | default | meaning |", "|---|---|---|"]
        for variable, (default, description) in entries.items():
            name = f"`{variable}`" + (" (`_FILE`)" if variable in hidden else "")
            shown = f"`{default}`" if default else ""
            rows.append(f"| {name} | {shown} | {description.replace('|', chr(92) + '|')} |")
        parts.append(f"## {title}\n\n" + "\n".join(rows) + "\n")
    return _PAGE_HEADER + "\n".join(parts)


def _classes(module: Any) -> Iterator[type[Settings]]:
    for value in vars(module).values():
        if not isinstance(value, type) or value.__module__ != module.__name__:
            continue  # imported there, not defined
        if issubclass(value, Settings) and value.model_config.get("env_prefix"):
            yield value


def _title(concern: type[Settings]) -> str:
    return (concern.__doc__ or "").splitlines()[0].rstrip(".")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path) and value.is_relative_to(ROOT):
        return str(value.relative_to(ROOT))  # a file shipped with the code
    if isinstance(value, tuple | dict):
        return json.dumps(value)
    return str(value)


if __name__ == "__main__":
    EXAMPLE.write_text(example())
    PAGE.write_text(page())
