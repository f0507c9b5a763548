"""The matcher's settings."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.matcher.cascade.policy import PolicyName
from shared.foreground.settings import SegmenterSettings
from shared.redis_settings import RedisSettings
from shared.settings import Settings


class MatcherSettings(SegmenterSettings):
    """Keypoints and how pairs are compared. Change them and calibrate anew."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_MATCHER_")

    extractor: Literal["aliked-t16", "aliked-n16", "disk", "sift", "superpoint", "xfeat"] = Field(
        default="aliked-n16",
        description="What finds keypoints. LightGlue has weights for aliked-n16, disk and xfeat; "
        "disk costs eight times as much as aliked-n16, xfeat a fifth. sift needs no network. "
        "superpoint comes with SuperGlue, of weights that you bring.",
    )
    superglue: str = Field(
        default="",
        description="Folder of a SuperGlue model as transformers saves it, for superpoint.",
    )
    noncommercial: bool = Field(
        default=False,
        description="Says that this is non-commercial research, which is all that the published "
        "weights of SuperPoint and SuperGlue may be used for.",
    )
    longest_side: int = Field(
        default=384, ge=64, le=2048, description="Crops are shrunk to this longest side, in pixels."
    )
    keypoints: int = Field(default=256, ge=4, le=4096, description="Keypoints of a crop at most.")
    background: Literal["on", "off"] = Field(
        default="on",
        description="Whether what stays at its place in a deployment's frames, on several "
        "occasions, is learnt and does not count: bushes, and the bar that a camera writes into "
        "its pictures. It needs their times or sequences.",
    )
    neighbour_floor: float = Field(
        default=0.7, ge=0, lt=1, description="Cosine above which mutual nearest neighbours count."
    )
    policy: PolicyName = Field(
        default="doubt",
        description="How far candidates are compared, beyond counting neighbours. doubt: LightGlue "
        "for those that can still change the decision, 10 at most. wide: for the best 40, for "
        "animals that are hardly told apart. deep: as doubt, and all its layers for the best "
        "three. full: LightGlue for all. neighbours: not at all.",
    )
    candidates: int = Field(
        default=100,
        ge=1,
        description="Candidates that are compared. Of a longer list, as lookup sends it of a small "
        "gallery, those near by embedding or by a few local features.",
    )
    policies: dict[str, PolicyName] = Field(
        default={},
        description="Other policies for some galleries, as JSON, such as "
        '{"luangwa/leopard": "full"}. Each wants a calibration of its own.',
    )
    lightglue_threshold: float = Field(
        default=0.5, ge=0, le=1, description="Confidence above which LightGlue's matches count."
    )
    max_crop_bytes: int = Field(
        default=32 * 1024 * 1024, ge=1, description="A stored crop larger than this is not read."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto",
        description="Where extractor, LightGlue and U²-Netp run; auto: on a GPU if there is one.",
    )
    precision: Literal["auto", "full", "half", "int8"] = Field(
        default="auto",
        description="Of LightGlue. auto: half on a GPU, twice as fast as full, and int8 on a CPU, "
        "likewise. Their matches differ a little, within what a calibration tolerates.",
    )
    compiled: bool = Field(
        default=False,
        description="On a GPU: let PyTorch make kernels for the network, in a minute at the start. "
        "Then many candidates (policy full) are compared nearly twice as fast. It needs gcc.",
    )
    models: str = Field(
        default="",
        description="Folder of LightGlue's ONNX files for a CPU; those that are missing are made "
        "there, in ten seconds. Empty: the user's cache.",
    )
    threads: int = Field(
        default=1,
        ge=1,
        description="Threads of the networks on a CPU; a replica per core is faster than threads.",
    )


class ExplainerSettings(Settings):
    """Where the process listens that shows the matches of two sightings to the review pages."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_EXPLAINER_")

    host: str = Field("127.0.0.1", description="Its address; it takes questions from anybody.")
    port: int = Field(9200, ge=0, le=65535, description="Its port.")


class CacheSettings(RedisSettings):
    """The keypoint cache: a Redis-protocol server that evicts what is least recently used."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_CACHE_")

    url: str = Field(default="redis://127.0.0.1:6380/0", description="The cache's server.")
    local_entries: int = Field(
        default=2048,
        ge=0,
        description="Crops whose keypoints this process keeps too, some 40 kB each.",
    )
    timeout_seconds: float = Field(
        default=1.0, gt=0, description="How long the cache may take to answer."
    )
    retry_seconds: float = Field(
        default=5.0, ge=0, description="After a failure the cache is left alone for so long."
    )
