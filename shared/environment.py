"""Typed settings from the environment, one class per concern.

Every variable is `RESIGHT_<CONCERN>_<NAME>`. An unknown variable with that prefix is an error, so
a misspelt setting never goes unnoticed. Settings of a single service are in its `settings.py`.

A field made by `constant` is not a setting: code and tests may pass another value. For one more
version its old variable is read, with a warning.
"""

import difflib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from shared.errors import SettingsError

PREFIX = "RESIGHT_"
# Appended to the name of a secret: the file that holds it.
FROM_FILE = "_FILE"

log = logging.getLogger(__name__)

# Prefixes of all services: a service does not know the others' classes, but they may share one
# environment.
CONCERNS = (
    "KAFKA",
    "STAGE",
    "TELEMETRY",
    "BLOBS",
    "EMBEDDER",
    "ENCODER",
    "GALLERY",
    "LOOKUP",
    "MATCHER",
    "CACHE",
    "LEDGER",
    "REGISTRY",
    "API",
    "EXPLAINER",
    "LABELS",
    "TLS",
    "SEGMENTER",
    "EXTRACTOR",
)


def constant(default: Any, reason: str, **limits: Any) -> Any:
    """Return a field that the environment does not set; `reason` says why this value."""
    return Field(default, description=reason, json_schema_extra={"constant": True}, **limits)


def shared(variable: str, default: Any, description: str) -> Any:
    """Return a field of several concerns that they all read from one variable."""
    return Field(default, description=description, json_schema_extra={"variable": variable})


class _OwnVariables(EnvSettingsSource):
    """The environment variables `<prefix><field>` of the fields that have no other."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        if is_constant(field) or "variable" in _extra(field):
            return None, field_name, False
        return super().get_field_value(field, field_name)


class Settings(BaseSettings):
    """One concern's settings; subclasses set `env_prefix`. Load them with `load`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_ignore_empty=True)

    # Names that fields had in the previous version.
    former_names: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings names them
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Keep the environment away from constants and from fields with a shared variable."""
        return init_settings, _OwnVariables(settings_cls)


S = TypeVar("S", bound=Settings)


def load(concern: type[S], environment: Mapping[str, str] = os.environ) -> S:
    """Return one concern's settings from the environment.

    A secret may also be read from a file, named by the variable with `_FILE` appended.

    Raises:
        SettingsError: a variable is unknown, malformed or out of range, or a file can't be read.
    """
    _refuse_unknown(concern, environment)
    try:
        given: dict[str, Any] = {
            **_former(concern, environment),
            **_shared(concern, environment),
            **_secrets(concern, environment),
        }
        return concern(**given)
    except ValidationError as error:
        lines = [
            # An error of the settings as a whole has no location, and its input holds secrets.
            f"{variable_of(concern, str(item['loc'][0]))}={item['input']!r}: {item['msg']}"
            if item["loc"]
            else item["msg"].removeprefix("Value error, ")
            for item in error.errors()
        ]
        raise SettingsError("; ".join(lines)) from error


def variable_of(concern: type[Settings], name: str) -> str:
    """Return the environment variable of a field."""
    own = f"{concern.model_config.get('env_prefix', '')}{name.upper()}"
    field = concern.model_fields.get(name)
    return str(_extra(field).get("variable", own)) if field else own


def variables(concern: type[Settings]) -> dict[str, str]:
    """Return every environment variable of a concern with its description."""
    found = {}
    for name, field in concern.model_fields.items():
        if is_constant(field):
            continue
        variable = variable_of(concern, name)
        found[variable] = field.description or ""
        if field.annotation is SecretStr:
            found[variable + FROM_FILE] = "The same, from a file."
    return found


def is_constant(field: FieldInfo) -> bool:
    """Return whether a field is a constant."""
    return bool(_extra(field).get("constant"))


def _extra(field: FieldInfo) -> Mapping[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _former(concern: type[Settings], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that a variable of the previous version sets; each is warned about."""
    found = {}
    for old, name in _former_variables(concern).items():
        if value := environment.get(old):
            found[name] = value
            field = concern.model_fields[name]
            instead = "it is a constant now" if is_constant(field) else variable_of(concern, name)
            log.warning(
                "%s is no longer a setting (%s); the next version will refuse it", old, instead
            )
    return found


def _former_variables(concern: type[Settings]) -> dict[str, str]:
    """Return the variables of the previous version and the fields that they set."""
    prefix = str(concern.model_config.get("env_prefix", ""))
    former = {f"{prefix}{old.upper()}": name for old, name in concern.former_names.items()}
    renamed = set(concern.former_names.values())
    for name, field in concern.model_fields.items():
        own = f"{prefix}{name.upper()}"
        if name not in renamed and (is_constant(field) or variable_of(concern, name) != own):
            former[own] = name
    return former


def _shared(concern: type[Settings], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the fields whose variable has another concern's prefix."""
    prefix = str(concern.model_config.get("env_prefix", ""))
    named = {name: variable_of(concern, name) for name in concern.model_fields}
    return {
        name: environment[variable]
        for name, variable in named.items()
        if not variable.startswith(prefix) and environment.get(variable)
    }


def _secrets(concern: type[Settings], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the fields whose value is in a file."""
    found = {}
    for name, field in concern.model_fields.items():
        variable = variable_of(concern, name)
        path = environment.get(variable + FROM_FILE)
        if field.annotation is not SecretStr or not path:
            continue
        if environment.get(variable):
            raise SettingsError(f"{variable} and {variable}{FROM_FILE} are both set; keep one")
        try:
            found[name] = Path(path).read_text().rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{variable}{FROM_FILE}={path!r} can't be read: {error}") from error
    return found


def _refuse_unknown(concern: type[Settings], environment: Mapping[str, str]) -> None:
    prefix = str(concern.model_config.get("env_prefix", ""))
    known = [*variables(concern), *_former_variables(concern)]
    prefixes = tuple(f"{PREFIX}{name}_" for name in CONCERNS)
    for name in environment:
        if not name.startswith(PREFIX):
            continue
        misspelt = name.startswith(prefix) and name not in known
        if misspelt or not name.startswith(prefixes):
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"unknown setting {name}{hint}")
