"""Creates and loads shards of Qdrant Edge."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import qdrant_edge as qdrant

from services.lookup.galleries import descriptors
from services.lookup.galleries.names import LOCAL
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


def is_local(folder: Path) -> bool:
    """Return whether a folder holds descriptors."""
    return folder.name.startswith(LOCAL)


def create(folder: Path, settings: GallerySettings) -> None:
    """Create a shard of embeddings."""
    # Without payload graphs: they only filter.
    numbers = qdrant.IntegerIndexParams(lookup=False, range=True, enable_hnsw=False)
    viewpoints = qdrant.IntegerIndexParams(lookup=True, range=False, enable_hnsw=False)
    _create(folder, configuration(settings), {VIEWPOINT: viewpoints, NUMBER: numbers})


def create_local(folder: Path, length: int) -> None:
    """Create a shard of descriptors of this length, searched by their 8 bits."""
    _create(
        folder,
        qdrant.EdgeConfig(
            vectors=qdrant.EdgeVectorParams(
                length,
                qdrant.Distance.Dot,
                on_disk=True,
                datatype=qdrant.VectorStorageDatatype.Float16,
                quantization_config=qdrant.ScalarQuantizationConfig(
                    qdrant.ScalarType.Int8, quantile=0.99, always_ram=True
                ),
            ),
            hnsw_config=qdrant.HnswIndexConfig(
                m=0,
                payload_m=descriptors.GRAPH_DEGREE,
                ef_construct=descriptors.EF_CONSTRUCT,
                full_scan_threshold=descriptors.full_scan_kilobytes(length),
            ),
            # Small segments get a graph, too; few segments, since each is searched by itself.
            optimizers=qdrant.EdgeOptimizersConfig(
                indexing_threshold=500, default_segment_number=2
            ),
            wal_enabled=True,
        ),
        {},
    )


def _create(
    folder: Path,
    configured: qdrant.EdgeConfig,
    indexes: Mapping[str, qdrant.IntegerIndexParams],
) -> None:
    """Create a shard under a temporary name first, so that a crash never leaves half of one."""
    unfinished = folder.with_name(folder.name + UNFINISHED)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    shard = qdrant.EdgeShard.create(str(unfinished), configured)
    every: dict[str, qdrant.KeywordIndexParams | qdrant.IntegerIndexParams] = {
        GALLERY: qdrant.KeywordIndexParams(is_tenant=True),
        **indexes,
    }
    for key, index in every.items():
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
