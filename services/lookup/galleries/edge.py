"""Galleries in Qdrant Edge: the engine runs in this process, on a local folder."""

import fcntl
import logging
from collections.abc import Sequence
from pathlib import Path

import qdrant_edge as qdrant

from services.lookup.galleries.gallery import Mark, Query, collection_name
from services.lookup.galleries.optimisation import Optimisation, tidy
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
from services.lookup.galleries.shards import UNFINISHED, configuration, create
from services.lookup.settings import GallerySettings
from shared.embeddings import unpack
from shared.errors import SettingsError
from shared.messages import Candidate, Enrolment

# A shard of this size is optimised within seconds.
QUICK_BELOW = 20_000

log = logging.getLogger(__name__)


class EdgeGallery:
    """The galleries of one model in one shard; see `gallery.Gallery`.

    It raises no Transient: there is no network, and a failing disk is a crash. Small shards are
        optimised when opened, which takes seconds; large ones while serving (see `optimisation`).
        Later enrolments are searched exactly until the next start.
    """

    def __init__(self, folder: Path, settings: GallerySettings) -> None:
        self._folder = folder
        self._settings = settings
        self._hnsw_ef = settings.hnsw_ef
        self._shard = qdrant.EdgeShard.load(str(folder), configuration(settings))
        self._optimisation: Optimisation | None = None

    def optimise(self) -> None:
        """Merge segments and build graphs now; start it in the background if it would take long."""
        info = self._shard.info()
        if info.points_count <= QUICK_BELOW:
            self._shard.optimize()
        elif info.indexed_vectors_count < info.points_count - QUICK_BELOW:
            log.info(
                "%s has %d sightings, %d of them not optimised; it serves, and is being optimised",
                self._folder.name,
                info.points_count,
                info.points_count - info.indexed_vectors_count,
            )
            self._shard.flush()
            self._optimisation = Optimisation(self._folder, self._settings)

    def close(self) -> None:
        """Close the shard."""
        if self._optimisation is not None:
            self._optimisation.close()
        self._shard.close()

    def enrol(self, enrolments: Sequence[Enrolment]) -> None:
        """The write-ahead log survives a killed process; the flush (5 ms) survives a power cut."""
        self._upsert(
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
        points, _ = self._shard.scroll(
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
        for point in self._shard.retrieve([watermark_id(gallery)], True, False):
            return read_mark(point.payload or {})
        return Mark()

    def set_mark(self, gallery: str, mark: Mark) -> None:
        told = mark_payload(gallery, mark)
        self._upsert([qdrant.Point(watermark_id(gallery), NO_VECTOR, told)])

    def forget(self, gallery: str) -> None:
        """A copy being optimised would keep the points, so it is discarded until the next start."""
        if self._optimisation is not None:
            self._optimisation.close()
            self._optimisation = None
        those = qdrant.Filter(must=[_equals(GALLERY, gallery)])
        self._shard.update(qdrant.UpdateOperation.delete_points_by_filter(those))
        self._shard.flush()

    def search(self, queries: Sequence[Query], limit: int) -> list[list[Candidate]]:
        self._swap_if_better()
        params = qdrant.SearchParams(hnsw_ef=self._hnsw_ef)
        answers = self._shard.query_batch(
            qdrant.QueryBatchRequest(
                [
                    qdrant.QueryRequest(
                        limit=limit,
                        query=qdrant.Query.Nearest(query.vector.tolist()),
                        filter=_others(query),
                        with_payload=True,
                        params=params,
                    )
                    for query in queries
                ]
            )
        )
        return [[candidate(p.payload or {}, p.score) for p in points] for points in answers]

    def count(self, query: Query) -> int:
        return self._shard.count(qdrant.CountRequest(exact=True, filter=_others(query)))

    def holds_points(self) -> bool:
        """Return whether anything is enrolled."""
        return self._shard.info().points_count > 0

    def _upsert(self, points: list[qdrant.Point]) -> None:
        self._swap_if_better()
        self._shard.update(qdrant.UpdateOperation.upsert_points(points))
        if self._optimisation is not None:
            self._optimisation.note(points)

    def _swap_if_better(self) -> None:
        if self._optimisation is None or not self._optimisation.over():
            return
        optimisation, self._optimisation = self._optimisation, None
        if optimisation.swap(self._shard.close):
            self._shard = qdrant.EdgeShard.load(str(self._folder), configuration(self._settings))


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
                self._load(folder).optimise()

    def open(self, model: str) -> EdgeGallery:
        folder = self._folder / collection_name(model)
        if folder.name not in self._galleries:
            create(folder, self._settings)
            self._load(folder)
        return self._galleries[folder.name]

    def empty(self) -> bool:
        return not any(gallery.holds_points() for gallery in self._galleries.values())

    def ready(self) -> bool:
        return not self._lock.closed

    def close(self) -> None:
        for gallery in self._galleries.values():
            gallery.close()
        self._lock.close()

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
