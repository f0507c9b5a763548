"""Settings of the registry alone."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.redis_settings import RedisSettings
from shared.settings import Settings


class LedgerSettings(RedisSettings):
    """How to reach the ledger: a Redis or Valkey that keeps everything."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_LEDGER_")

    url: str = Field(
        "redis://127.0.0.1:6379/0",
        description="The ledger's server, redis://host:port/db or rediss://…. It must never evict "
        "(maxmemory-policy noeviction) and should write its append-only file at every command.",
    )
    timeout_seconds: float = Field(
        5.0, gt=0, description="How long one command or connection may take."
    )


class RegistrySettings(Settings):
    """How the registry decides."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_REGISTRY_")

    calibration: Path = Field(
        Path(__file__).with_name("calibration") / "default.json",
        description="File with the curves and thresholds that turn evidence into decisions.",
    )
    max_passes: int = Field(
        3,
        ge=1,
        description="After so many passes a sighting that is to become a new individual takes a "
        "lease on its gallery.",
    )
    lease_seconds: float = Field(
        10.0,
        ge=0.01,
        description="How long others wait at most with new individuals for the holder of a lease; "
        "longer than one pass through the matcher takes.",
    )
    leased_wait_seconds: float = Field(
        0.02,
        ge=0,
        description="Pause before sightings that can only wait for a lease go round again; once "
        "per batch.",
    )
    candidates: int = Field(
        100, ge=1, description="Enrolments that a later pass compares with the query at most."
    )
    ranked: int = Field(
        20, ge=1, description="Individuals that a decision lists with their evidence at most."
    )
    max_galleries: int = Field(
        200,
        ge=1,
        description="So many galleries come into being by themselves, one for each species and "
        "population that captures name; further ones when a person adds them (`resight galleries`)."
        " A misspelt species makes a gallery too.",
    )
    drift_window: int = Field(
        500,
        ge=1,
        description="Latest sightings of a gallery whose probabilities are compared with those "
        "of the calibration.",
    )
