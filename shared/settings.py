"""Typed settings from the environment, one class per concern.

Every variable is `RESIGHT_<CONCERN>_<NAME>`. A variable with that prefix that no
class knows is an error, so that a misspelt setting can't silently do nothing.
Concerns of a single service live in that service's `settings.py`.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import Field, FilePath, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import SettingsError

PREFIX = "RESIGHT_"
# After the name of a secret: the file that holds it.
FROM_FILE = "_FILE"

# A note of who is suspect holds no larger number of lives (see `shared.stage.crash_attempts`).
LIVES_LIMIT = 15

# Concerns of all services: a service does not know the others' classes, but
# all of them may share one environment.
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
)


class Settings(BaseSettings):
    """One concern's settings; subclasses set `env_prefix`. Load them with `load`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_ignore_empty=True)


class TlsSettings(Settings):
    """Mixed into the concern of a server that may speak TLS."""

    ca_file: FilePath | None = Field(
        None,
        description="Authorities that the server's certificate must come from, PEM; empty: those "
        "that the machine trusts.",
    )
    certificate_file: FilePath | None = Field(
        None, description="Certificate that the server gets to see, PEM; empty: none."
    )
    key_file: FilePath | None = Field(None, description="The key of that certificate, PEM.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            prefix = self.model_config.get("env_prefix", "")
            raise ValueError(f"{prefix}CERTIFICATE_FILE and {prefix}KEY_FILE go together")
        return self

    def refuse_plain(self, way_out: str) -> None:
        """Refuse certificates for a connection that is not encrypted.

        Raises:
            SettingsError: there are some; `way_out` says how to encrypt it.
        """
        if self.ca_file or self.certificate_file:
            prefix = self.model_config.get("env_prefix", "")
            raise SettingsError(
                f"{prefix}CA_FILE or {prefix}CERTIFICATE_FILE is set, but the connection is not "
                f"encrypted; {way_out}"
            )


class KafkaSettings(TlsSettings):
    """How to reach the broker."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_KAFKA_")

    bootstrap_servers: str = Field(
        "127.0.0.1:9092", description="Brokers to start from, host:port, separated by commas."
    )
    instance_id: str = Field(
        "",
        description="Static group membership: a restarted replica takes its partitions back "
        "without a rebalance. One value per replica; empty: dynamic membership.",
    )
    session_timeout_seconds: float = Field(
        10.0, gt=0, description="A member that is silent for so long loses its partitions."
    )
    producer_batch_bytes: int = Field(
        65536,
        ge=0,
        description="Records up to so many bytes travel together. 0 sends each alone; the "
        "embedded broker needs that, since its end offsets count batches.",
    )
    request_timeout_seconds: float = Field(
        30.0, gt=0, description="How long one request to the broker may take."
    )
    security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT",
        description="SSL: the connection is encrypted. SASL: the broker asks who this is.",
    )
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="How that is proved."
    )
    username: str = Field("", description="Who this is, for SASL.")
    password: SecretStr = Field(SecretStr(""), description="The password, for SASL.")

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.security.startswith("SASL") and not (self.username and self.password):
            raise ValueError(
                f"RESIGHT_KAFKA_SECURITY={self.security} needs RESIGHT_KAFKA_USERNAME and "
                "RESIGHT_KAFKA_PASSWORD_FILE"
            )
        if not self.security.endswith("SSL"):
            self.refuse_plain("set RESIGHT_KAFKA_SECURITY to SSL or SASL_SSL")
        return self


class StageSettings(Settings):
    """The consume loop."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_STAGE_")

    max_messages: int = Field(
        32, ge=1, description="Messages that are handled together at most. Default per service."
    )
    max_bytes: int = Field(
        64 * 1024 * 1024, ge=1, description="Bytes of messages in flight at most."
    )
    backoff_seconds: float = Field(
        0.5, gt=0, description="First pause after a transient error; doubles, with jitter."
    )
    backoff_limit_seconds: float = Field(30.0, gt=0, description="Longest such pause.")
    drain_seconds: float = Field(
        25.0, gt=0, description="After SIGTERM the batch in hand must be done within this time."
    )
    stall_seconds: float = Field(
        60.0,
        gt=0,
        description="A partition that has records but does not advance for so long makes the "
        "service build its Kafka client anew.",
    )
    lives: int = Field(
        3,
        ge=1,
        le=LIVES_LIMIT,
        description="A record that was in hand when the service ended so many times, by a fault "
        "or for want of memory, becomes a dead letter; up to twice more if it was not the first "
        "after a start.",
    )
    letter_count: int = Field(
        200,
        ge=0,
        description="So many dead letters among the latest 1,000 records are in order whatever "
        "their share is.",
    )
    letter_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Beyond that count, a service that would give up more than this share of the "
        "latest records stops and says so. 1: never.",
    )

    def messages_or(self, default: int | None) -> int:
        """Return the messages of a batch: as set, else the service's default, else everyone's."""
        if default is None or "max_messages" in self.model_fields_set:
            return self.max_messages
        return default


class TelemetrySettings(Settings):
    """Logs, metrics and health."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_TELEMETRY_")

    host: str = Field("127.0.0.1", description="Where /metrics, /healthz and /readyz listen.")
    port: int = Field(9100, ge=0, le=65535, description="Their port; 0 takes a free one.")
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is logged."
    )
    traces_url: str = Field(
        "",
        description="Where spans go by OTLP over HTTP, such as http://collector:4318/v1/traces; "
        "empty: none are made.",
    )
    traces_share: float = Field(
        1.0, ge=0, le=1, description="Share of the traces that are kept; one is kept or not whole."
    )


class BlobSettings(Settings):
    """Blob storage: a local folder, S3, GCS or Azure, by URL."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_BLOBS_")

    crops_url: str = Field(
        "file:///var/lib/resight/crops",
        description="Store of the crops: file:///folder, s3://bucket/prefix, gs://…, az://….",
    )
    captures_url: str = Field(
        "file:///var/lib/resight/captures",
        description="Store that captures refer to when they carry no image of their own.",
    )


S = TypeVar("S", bound=Settings)


def load(concern: type[S], environment: Mapping[str, str] = os.environ) -> S:
    """Return one concern's settings from the environment.

    Any secret may be the content of a file instead, named by the variable with `_FILE` after it.

    Raises:
        SettingsError: a variable is unknown, malformed or out of range, or a file can't be read.
    """
    _refuse_unknown(concern, environment)
    try:
        secrets: dict[str, Any] = _secrets(concern, environment)
        return concern(**secrets)
    except ValidationError as error:
        prefix = str(concern.model_config.get("env_prefix", ""))
        lines = [
            # An error of the settings as a whole has no place, and its input holds the secrets.
            f"{prefix}{'_'.join(str(part) for part in item['loc']).upper()}"
            f"={item['input']!r}: {item['msg']}"
            if item["loc"]
            else item["msg"].removeprefix("Value error, ")
            for item in error.errors()
        ]
        raise SettingsError("; ".join(lines)) from error


def variables(concern: type[Settings]) -> dict[str, str]:
    """Return every environment variable of a concern with its description."""
    prefix = str(concern.model_config.get("env_prefix", ""))
    found = {}
    for name, field in concern.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        found[variable] = field.description or ""
        if field.annotation is SecretStr:
            found[variable + FROM_FILE] = "The same, from a file."
    return found


def _secrets(concern: type[Settings], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the fields whose value lies in a file."""
    prefix = str(concern.model_config.get("env_prefix", ""))
    found = {}
    for name, field in concern.model_fields.items():
        variable = f"{prefix}{name.upper()}"
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
    known = list(variables(concern))
    prefixes = [f"{PREFIX}{name}_" for name in CONCERNS]
    for name in environment:
        if not name.startswith(PREFIX):
            continue
        misspelt = name.startswith(prefix) and name not in known
        homeless = not name.startswith(tuple(prefixes))
        if misspelt or homeless:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"unknown setting {name}{hint}")
