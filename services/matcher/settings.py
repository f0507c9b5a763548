"""Settings of the matcher."""

from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from services.matcher.cascade.policy import PolicyName
from services.matcher.extractors import EXTRACTORS
from shared.environment import Settings, constant
from shared.foreground.settings import SegmenterSettings
from shared.redis_settings import RedisSettings


class MatcherSettings(SegmenterSettings):
    """Matcher. Calibrate again after changing extractor, background or policy."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_MATCHER_")

    extractor: str = Field(
        default="aliked-n16",
        description="Keypoint extractor. LightGlue has weights for aliked-n16, disk (8 times the "
        "cost of aliked-n16) and xfeat (a fifth). sift needs no network. superpoint comes with "
        "SuperGlue, for which you bring the weights.",
    )
    superglue: str = Field(
        default="",
        description="Folder of a SuperGlue model as `transformers` saves it (superpoint).",
    )
    noncommercial: bool = Field(
        default=False,
        description="Confirms non-commercial research, the only use that the licence of the "
        "published SuperPoint and SuperGlue weights allows.",
    )
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
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="Device of the networks. auto: a GPU if there is one."
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
    longest_side: int = constant(384, "Pixels; the calibration depends on it.", ge=64, le=2048)
    keypoints: int = constant(
        256, "Keypoints per crop; the calibration depends on it.", ge=4, le=4096
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

    @field_validator("extractor")
    @classmethod
    def _is_an_extractor(cls, name: str) -> str:
        if name not in EXTRACTORS:
            raise ValueError(f"choose one of {', '.join(sorted(EXTRACTORS))}")
        return name


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
