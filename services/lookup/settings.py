"""Settings of lookup."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.environment import Settings, constant
from shared.settings import TlsSettings


class GallerySettings(TlsSettings):
    """Gallery in Qdrant."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_GALLERY_")

    kind: Literal["edge", "server"] = Field(
        "edge",
        description="edge: Qdrant Edge in this process, a single lookup replica. server: a Qdrant "
        "server or cluster, any number of replicas.",
    )
    path: str = Field("/var/lib/resight/gallery", description="Folder of the shards (edge).")
    url: str = Field(
        "http://127.0.0.1:6333", description="Qdrant's URL; https://… for TLS (server)."
    )
    api_key: SecretStr = Field(SecretStr(""), description="Qdrant's API key. Empty: none (server).")
    replicas: int = Field(
        1,
        ge=1,
        description="Replication factor of new collections. A write waits for all replicas, so "
        "none shows a watermark without the sightings below it (server).",
    )
    timeout_seconds: int = constant(30, "For one request to Qdrant.", ge=1)
    exact_below: int = constant(
        100_000, "Smaller galleries are searched exactly, larger ones by HNSW.", ge=0
    )
    hnsw_ef: int = constant(512, "HNSW's ef: five times the candidates.", ge=100)
    former_names: ClassVar[Mapping[str, str]] = {"search_width": "hnsw_ef"}


class LookupSettings(Settings):
    """Lookup."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_LOOKUP_")

    max_undecided: int = Field(
        64,
        ge=1,
        description="Candidate lists awaiting a decision at which lookup pauses: every new "
        "enrolment makes a waiting list staler.",
    )
    descriptors: Literal["on", "off"] = Field(
        "on",
        description="Index 64 descriptors of each sighting (0.12 MB of memory): they find animals "
        "in galleries of more than 1,000 that the embedding loses. off: embeddings alone.",
    )
    candidates: int = constant(100, "Candidates per list.", ge=1, le=1000)
    whole_below: int = constant(
        1000,
        "Galleries up to this size are sent whole: an embedding alone may miss the animal, and the "
        "matcher can afford to look.",
        ge=0,
    )
