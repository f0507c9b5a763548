"""How a shard of Qdrant Edge is made and loaded."""

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
    """Make a shard under another name first: a crash can't leave half of one behind."""
    unfinished = folder.with_name(folder.name + UNFINISHED)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    shard = qdrant.EdgeShard.create(str(unfinished), configuration(settings))
    # No graph over viewpoints or numbers: they only narrow what a gallery's graph finds.
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
    """Return what every shard is loaded with."""
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
