"""Galleries in Qdrant Edge: the engine runs in this process, on a local folder."""

import fcntl
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import qdrant_edge as qdrant
from numpy.typing import NDArray

from services.lookup.galleries.descriptors import Neighbours, number_of
from services.lookup.galleries.edge_descriptors import EdgeDescriptors
from services.lookup.galleries.gallery import Query
from services.lookup.galleries.live_shard import LiveShard
from services.lookup.galleries.mark import Mark
from services.lookup.galleries.names import collection_name, local_name
from services.lookup.galleries.optimisation import tidy
from services.lookup.galleries.points import (
    GALLERY,
    NO_VECTOR,
    NUMBER,
    VIEWPOINT,
    candidate,
    mark_payload,
    payload,
    point_id,
    read_mark,
    watermark_id,
)
from services.lookup.galleries.shards import UNFINISHED, create, create_local, is_local
from services.lookup.settings import GallerySettings
from shared.embeddings import unpack
from shared.errors import SettingsError
from shared.messages import Candidate, Enrolment


class EdgeGallery:
    """The galleries of one model in one shard; see `gallery.Gallery` and `live_shard`."""

    def __init__(self, folder: Path, settings: GallerySettings) -> None:
        self._hnsw_ef = settings.hnsw_ef
        self._shard = LiveShard(folder, settings)

    def optimise(self) -> None:
        """Build graphs, in the background if that takes long."""
        self._shard.optimise()

    def close(self) -> None:
        """Close the shard."""
        self._shard.close()

    def enrol(self, enrolments: Sequence[Enrolment]) -> None:
        self._shard.upsert(
            [
                qdrant.Point(
                    point_id(enrolment.gallery, enrolment.sighting_id),
                    unpack(enrolment.embedding).tolist(),
                    payload(enrolment),
                )
                for enrolment in enrolments
            ]
        )
        self._shard.flush()

    def numbers(self, gallery: str, above: int, up_to: int) -> frozenset[int]:
        between = qdrant.RangeFloat(gt=above, lte=up_to)
        points, _ = self._shard.current().scroll(
            qdrant.ScrollRequest(
                limit=up_to - above,
                filter=qdrant.Filter(
                    must=[_equals(GALLERY, gallery), qdrant.FieldCondition(NUMBER, range=between)]
                ),
                with_payload=[NUMBER],
            )
        )
        return frozenset(int((point.payload or {})[NUMBER]) for point in points)

    def mark(self, gallery: str) -> Mark:
        for point in self._shard.current().retrieve([watermark_id(gallery)], True, False):
            return read_mark(point.payload or {})
        return Mark()

    def set_mark(self, gallery: str, mark: Mark) -> None:
        told = mark_payload(gallery, mark)
        self._shard.upsert([qdrant.Point(watermark_id(gallery), NO_VECTOR, told)])

    def forget(self, gallery: str) -> None:
        self._shard.delete(qdrant.Filter(must=[_equals(GALLERY, gallery)]))

    def search(self, queries: Sequence[Query], limit: int) -> list[list[Candidate]]:
        answers = self._queried(queries, limit, with_payload=True)
        return [[candidate(p.payload or {}, p.score) for p in points] for points in answers]

    def nearest(self, queries: Sequence[Query], limit: int) -> list[Neighbours]:
        answers = self._queried(queries, limit, with_payload=False)
        return [[(number_of(p.id), p.score) for p in points] for points in answers]

    def _queried(
        self, queries: Sequence[Query], limit: int, *, with_payload: bool
    ) -> list[list[qdrant.ScoredPoint]]:
        params = qdrant.SearchParams(hnsw_ef=self._hnsw_ef)
        asked = [
            qdrant.QueryRequest(
                limit=limit,
                query=qdrant.Query.Nearest(query.vector.tolist()),
                filter=_others(query),
                with_payload=with_payload,
                params=params,
            )
            for query in queries
        ]
        return self._shard.current().query_batch(qdrant.QueryBatchRequest(asked))

    def count(self, query: Query) -> int:
        return self._shard.current().count(qdrant.CountRequest(exact=True, filter=_others(query)))

    def holds_points(self) -> bool:
        """Return whether anything is enrolled."""
        return self._shard.current().info().points_count > 0

    def named(self, points: Sequence[str], vector: NDArray[np.float32]) -> list[Candidate]:
        found = self._shard.current().retrieve(list(points), True, True)
        return [
            candidate(point.payload or {}, float(vector @ np.asarray(point.vector, np.float32)))
            for point in found
        ]


class EdgeGalleries:
    """One folder with a shard per model; see `gallery.Galleries`.

    The folder belongs to one process at a time.

    Raises:
        SettingsError: another process uses the folder, or it is not writable.
    """

    def __init__(self, settings: GallerySettings) -> None:
        self._settings = settings
        self._folder = Path(settings.path)
        self._galleries: dict[str, EdgeGallery] = {}
        self._local: dict[str, EdgeDescriptors] = {}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self._folder / "lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise SettingsError(
                f"RESIGHT_GALLERY_PATH={settings.path} is in use by another process. Qdrant Edge "
                "allows one lookup replica; for more, set RESIGHT_GALLERY_KIND=server"
            ) from None
        except OSError as error:
            raise SettingsError(
                f"RESIGHT_GALLERY_PATH={settings.path} is not writable ({error}); choose a folder "
                "that this user owns"
            ) from error
        tidy(self._folder)
        for folder in sorted(self._folder.iterdir()):
            if folder.is_dir() and folder.suffix != UNFINISHED:
                (self._load_local(folder) if is_local(folder) else self._load(folder)).optimise()

    def open(self, model: str) -> EdgeGallery:
        folder = self._folder / collection_name(model)
        if folder.name not in self._galleries:
            create(folder, self._settings)
            self._load(folder)
        return self._galleries[folder.name]

    def local(self, extractor: str, length: int) -> EdgeDescriptors:
        folder = self._folder / local_name(extractor)
        if folder.name not in self._local:
            create_local(folder, length)
            self._load_local(folder)
        return self._local[folder.name]

    def forget_local(self, gallery: str) -> None:
        for index in self._local.values():
            index.forget(gallery)

    def empty(self) -> bool:
        return not any(gallery.holds_points() for gallery in self._galleries.values())

    def ready(self) -> bool:
        return not self._lock.closed

    def close(self) -> None:
        for gallery in self._galleries.values():
            gallery.close()
        for index in self._local.values():
            index.close()
        self._lock.close()

    def _load_local(self, folder: Path) -> EdgeDescriptors:
        index = EdgeDescriptors(folder)
        self._local[folder.name] = index
        return index

    def _load(self, folder: Path) -> EdgeGallery:
        gallery = EdgeGallery(folder, self._settings)
        self._galleries[folder.name] = gallery
        return gallery


def _equals(key: str, value: str | int) -> qdrant.FieldCondition:
    return qdrant.FieldCondition(key, match=qdrant.MatchValue(value))


def _others(query: Query) -> qdrant.Filter:
    never: list[qdrant.ConditionType] = [
        qdrant.HasIdCondition({point_id(query.gallery, query.sighting_id)})
    ]
    if query.hidden is not None:
        never.append(_equals(VIEWPOINT, int(query.hidden)))
    return qdrant.Filter(must=[_equals(GALLERY, query.gallery)], must_not=never)
