"""Settings of the registry."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.environment import Settings, constant
from shared.redis_settings import RedisSettings


class LedgerSettings(RedisSettings):
    """Ledger (Redis)."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_LEDGER_")

    url: str = Field(
        "redis://127.0.0.1:6379/0",
        description="Ledger server, redis://host:port/db or rediss://… for TLS. It must not evict "
        "(maxmemory-policy noeviction) and should sync its append-only file on every write.",
    )
    timeout_seconds: float = constant(5.0, "For one command or connection.", gt=0)


class RegistrySettings(Settings):
    """Registry."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_REGISTRY_")

    calibration: Path = Field(
        Path(__file__).with_name("calibration") / "default.json",
        description="Calibration file: curves and thresholds for decisions.",
    )
    max_galleries: int = Field(
        200,
        ge=1,
        description="Galleries that are created automatically, one for each species and "
        "population that captures name. Further ones are added with `resight galleries add`. "
        "Protects against misspelt species.",
    )
    max_passes: int = constant(
        3, "Matching passes after which a new individual takes a lease on its gallery.", ge=1
    )
    lease_seconds: float = constant(
        10.0, "Longer than one pass through the matcher, so that its holder finishes.", ge=0.01
    )
    leased_wait_seconds: float = constant(
        0.02, "Pause before a sighting that waits for a lease is tried again.", ge=0
    )
    candidates: int = constant(100, "Enrolments compared in a later pass, as in the first.", ge=1)
    ranked: int = constant(20, "Individuals listed in a decision; more are never read.", ge=1)
    drift_window: int = constant(
        500, "Latest sightings whose probabilities are compared with the calibration's.", ge=1
    )
