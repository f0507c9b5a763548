"""Creates and loads shards of Qdrant Edge."""

import shutil
from pathlib import Path

import qdrant_edge as qdrant

from services.lookup.galleries.points import (
    EF_CONSTRUCT,
    GALLERY,
    GRAPH_DEGREE,
    NUMBER,
    VIEWPOINT,
    full_scan_kilobytes,
)
from services.lookup.settings import GallerySettings
from shared.embeddings import DIMENSION

UNFINISHED = ".unfinished"


def create(folder: Path, settings: GallerySettings) -> None:
    """Create a shard under a temporary name first, so that a crash never leaves half of one."""
    unfinished = folder.with_name(folder.name + UNFINISHED)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    shard = qdrant.EdgeShard.create(str(unfinished), configuration(settings))
    # Without payload graphs for viewpoint and number: they only filter.
    for key, index in (
        (GALLERY, qdrant.KeywordIndexParams(is_tenant=True)),
        (VIEWPOINT, qdrant.IntegerIndexParams(lookup=True, range=False, enable_hnsw=False)),
        (NUMBER, qdrant.IntegerIndexParams(lookup=False, range=True, enable_hnsw=False)),
    ):
        shard.update(qdrant.UpdateOperation.create_field_index(key, index))
    shard.flush()
    shard.close()
    unfinished.rename(folder)


def configuration(settings: GallerySettings) -> qdrant.EdgeConfig:
    """Return the configuration of every shard."""
    return qdrant.EdgeConfig(
        vectors=qdrant.EdgeVectorParams(DIMENSION, qdrant.Distance.Cosine),
        hnsw_config=qdrant.HnswIndexConfig(
            m=0,
            payload_m=GRAPH_DEGREE,
            ef_construct=EF_CONSTRUCT,
            full_scan_threshold=full_scan_kilobytes(settings.exact_below),
        ),
        wal_enabled=True,
    )
