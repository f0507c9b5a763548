"""Lookup's settings."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import Settings, TlsSettings


class GallerySettings(TlsSettings):
    """Where the galleries are kept."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_GALLERY_")

    kind: Literal["edge", "server"] = Field(
        "edge",
        description="edge: Qdrant Edge inside this process, one lookup replica. server: a Qdrant "
        "server or cluster, any number of replicas.",
    )
    path: str = Field("/var/lib/resight/gallery", description="Folder of the shards (edge).")
    url: str = Field(
        "http://127.0.0.1:6333",
        description="Where Qdrant listens (server); https://… where the connection is encrypted.",
    )
    api_key: SecretStr = Field(SecretStr(""), description="Qdrant's API key (server); empty: none.")
    timeout_seconds: int = Field(
        30, ge=1, description="How long one request to Qdrant may take (server)."
    )
    replicas: int = Field(
        1,
        ge=1,
        description="Copies of each shard in a new collection (server). A write waits for all of "
        "them, so that no copy shows a watermark without the sightings below it.",
    )
    exact_below: int = Field(
        100_000,
        ge=0,
        description="Galleries of fewer sightings are searched exactly, larger ones by HNSW.",
    )
    hnsw_ef: int = Field(
        512,
        ge=100,
        description="HNSW's ef: how many sightings a search of a larger gallery keeps in view.",
    )


class LookupSettings(Settings):
    """What lookup answers, and how far it may run ahead."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_LOOKUP_")

    candidates: int = Field(100, ge=1, le=1000, description="Candidates of a list at most.")
    whole_below: int = Field(
        1000,
        ge=0,
        description="Of galleries of at most so many sightings, a list holds all, and the matcher "
        "chooses by local features too: an embedding alone may lose the animal.",
    )
    max_undecided: int = Field(
        64,
        ge=1,
        description="No further sighting is looked up while so many lists wait for a decision: "
        "a list grows stale with every enrolment that comes after it.",
    )
