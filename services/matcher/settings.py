"""Settings of the matcher."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.matcher.cascade.policy import PolicyName
from shared.environment import Settings, constant
from shared.keypoints.settings import ExtractorSettings
from shared.redis_settings import RedisSettings


class MatcherSettings(ExtractorSettings):
    """Matcher. Calibrate again after changing extractor, background or policy."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_MATCHER_")

    background: Literal["on", "off"] = Field(
        default="on",
        description="Ignore keypoints that stay in place across a deployment's captures, such as "
        "bushes and the camera's caption. Needs times or sequences.",
    )
    policy: PolicyName = Field(
        default="doubt",
        description="Which candidates LightGlue compares. neighbours: none. doubt: up to 10 that "
        "can still change the decision. wide: the best 40, for species that are hard to tell "
        "apart. deep: as doubt, with all layers for the best three. full: all.",
    )
    policies: dict[str, PolicyName] = Field(
        default={},
        description='Policy by gallery, as JSON, such as {"luangwa/leopard": "full"}. Each needs '
        "its own calibration.",
    )
    precision: Literal["auto", "full", "half", "int8"] = Field(
        default="auto",
        description="Precision of LightGlue. auto: half on a GPU, int8 on a CPU, both twice as "
        "fast as full. Calibrations tolerate the differences.",
    )
    compiled: bool = Field(
        default=False,
        description="Compile LightGlue on a GPU: nearly twice as fast with policy full, one minute "
        "longer to start. Needs gcc.",
    )
    models: str = Field(
        default="",
        description="Folder of LightGlue's ONNX files for a CPU; missing ones are exported there "
        "in ten seconds. Empty: the user's cache folder.",
    )
    threads: int = Field(
        default=1,
        ge=1,
        description="CPU threads of the networks. One replica per core is faster than threads.",
    )
    neighbour_floor: float = constant(
        0.7, "Minimum cosine of mutual neighbours; the calibration depends on it.", ge=0, lt=1
    )
    candidates: int = constant(100, "Candidates compared of a longer list.", ge=1)
    lightglue_threshold: float = constant(
        0.5, "Minimum confidence of a match; the calibration depends on it.", ge=0, le=1
    )
    max_crop_bytes: int = constant(
        32 * 1024 * 1024, "Protects memory; a crop of 1,024 pixels is far smaller.", ge=1
    )


class ExplainerSettings(Settings):
    """Explainer: computes the matches that the review pages draw."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_EXPLAINER_")

    host: str = Field("127.0.0.1", description="Listen address. There is no authentication.")
    port: int = Field(9200, ge=0, le=65535, description="Port. 0: any free port.")


class CacheSettings(RedisSettings):
    """Keypoint cache (Redis)."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_CACHE_")

    url: str = Field(
        default="redis://127.0.0.1:6380/0",
        description="Cache server, redis://host:port/db or rediss://… for TLS. It may evict.",
    )
    local_entries: int = constant(2048, "Crops cached in the process, 40 kB each.", ge=0)
    timeout_seconds: float = constant(
        1.0, "A slower cache is skipped: the keypoints are computed again.", gt=0
    )
    retry_seconds: float = constant(5.0, "Pause after a failure of the cache.", ge=0)
