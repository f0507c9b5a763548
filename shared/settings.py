"""Settings that several services share. Those of one service are in its `settings.py`."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, FilePath, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from shared.environment import Settings, constant, shared, variable_of
from shared.errors import SettingsError


class TlsSettings(Settings):
    """Mixed into the settings of a server that may use TLS."""

    ca_file: FilePath | None = shared(
        "RESIGHT_TLS_CA_FILE",
        None,
        "CA certificates that the server's certificate must chain to, PEM. Empty: the system's.",
    )
    certificate_file: FilePath | None = shared(
        "RESIGHT_TLS_CERTIFICATE_FILE", None, "Client certificate, PEM. Empty: none."
    )
    key_file: FilePath | None = shared(
        "RESIGHT_TLS_KEY_FILE", None, "Private key of the client certificate, PEM."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            certificate, key = (
                variable_of(type(self), f"{name}_file") for name in ("certificate", "key")
            )
            raise ValueError(f"{certificate} and {key} go together")
        return self

    def refuse_plain(self, way_out: str) -> None:
        """Refuse certificates for an unencrypted connection.

        Raises: SettingsError: certificates are set; `way_out` says how to encrypt.
        """
        if self.ca_file or self.certificate_file:
            ca, certificate = (
                variable_of(type(self), f"{name}_file") for name in ("ca", "certificate")
            )
            raise SettingsError(
                f"{ca} or {certificate} is set, but the connection is not encrypted; {way_out}"
            )


class KafkaSettings(TlsSettings):
    """Kafka."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_KAFKA_")

    bootstrap_servers: str = Field(
        "127.0.0.1:9092", description="Bootstrap brokers, host:port, comma-separated."
    )
    instance_id: str = Field(
        "",
        description="Static group membership: a restarted replica keeps its partitions without a "
        "rebalance. One value per replica. Empty: dynamic membership.",
    )
    session_timeout_seconds: float = Field(
        10.0, gt=0, description="A consumer silent for this long loses its partitions, in seconds."
    )
    producer_batch_bytes: int = Field(
        65536,
        ge=0,
        description="Producer batch size in bytes. 0: no batching, which the embedded broker "
        "needs because its end offsets count batches.",
    )
    request_timeout_seconds: float = constant(30.0, "For one request to the broker.", gt=0)
    security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Security protocol."
    )
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism."
    )
    username: str = Field("", description="SASL user name.")
    password: SecretStr = Field(SecretStr(""), description="SASL password.")
    ca_file: FilePath | None = Field(
        None, description="CA certificates of the brokers, PEM. Empty: the system's."
    )
    certificate_file: FilePath | None = Field(
        None, description="Client certificate, PEM. Empty: none."
    )
    key_file: FilePath | None = Field(
        None, description="Private key of the client certificate, PEM."
    )

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
    """Consume loop."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_STAGE_")

    max_messages: int = Field(
        32, ge=1, description="Maximum messages per batch. The default depends on the service."
    )
    drain_seconds: float = Field(
        25.0,
        gt=0,
        description="Time to finish the current batch after SIGTERM, in seconds. Must be shorter "
        "than the pod's terminationGracePeriodSeconds.",
    )
    max_bytes: int = constant(
        64 * 1024 * 1024, "One batch of the largest messages fits a 512 MiB container.", ge=1
    )
    backoff_seconds: float = constant(
        0.5, "First pause after a transient error; doubles, with jitter.", gt=0
    )
    backoff_limit_seconds: float = constant(
        30.0, "Longest pause: recovery is noticed within half a minute.", gt=0
    )
    stall_seconds: float = constant(
        60.0,
        "A partition that has records but makes no progress for this long gets a new client; "
        "twice the longest back-off, so a slow dependency does not count.",
        gt=0,
    )
    max_crashes: int = constant(
        3,
        "Crashes with one record in hand after which it becomes a dead letter: one may be chance, "
        "two bad luck. Two more are allowed if it was not the first record after a start.",
        ge=1,
        le=15,  # what the note in the offset's metadata can hold: see `crash_attempts`
    )
    dead_letter_count: int = constant(
        200, "Dead letters tolerated per 1,000 records, whatever their share.", ge=0
    )
    dead_letter_share: float = constant(
        0.5,
        "Above the tolerated count, a service that would dead-letter a larger share of the latest "
        "1,000 records stops: that is a bad deployment, not bad records. 1: never.",
        ge=0,
        le=1,
    )
    former_names: ClassVar[Mapping[str, str]] = {
        "lives": "max_crashes",
        "letter_count": "dead_letter_count",
        "letter_share": "dead_letter_share",
    }

    def messages_or(self, default: int | None) -> int:
        """Return the batch size: as set, else the service's default, else the common default."""
        if default is None or "max_messages" in self.model_fields_set:
            return self.max_messages
        return default


class TelemetrySettings(Settings):
    """Logs, metrics, health and traces."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_TELEMETRY_")

    host: str = Field("127.0.0.1", description="Listen address of /metrics, /healthz and /readyz.")
    port: int = Field(9100, ge=0, le=65535, description="Their port. 0: any free port.")
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Minimum log level."
    )
    traces_url: str = Field(
        "",
        description="OTLP/HTTP endpoint for traces, such as http://collector:4318/v1/traces. "
        "Empty: no traces.",
    )
    traces_share: float = constant(
        1.0, "All traces are sent; sample in the collector, which sees whole traces.", ge=0, le=1
    )


class BlobSettings(Settings):
    """Blob storage."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_BLOBS_")

    crops_url: str = Field(
        "file:///var/lib/resight/crops",
        description="Store for crops: file:///folder, s3://bucket/prefix, gs://… or az://….",
    )
    captures_url: str = Field(
        "file:///var/lib/resight/captures",
        description="Store for pictures that captures refer to by key.",
    )
