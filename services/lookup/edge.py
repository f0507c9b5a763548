"""Galleries in Qdrant Edge: the engine runs inside this process, on a local folder."""

import fcntl
import shutil
from collections.abc import Sequence
from pathlib import Path

import qdrant_edge as qdrant

from services.lookup.gallery import Query, shelf
from services.lookup.points import (
    GALLERY,
    GRAPH_DEGREE,
    GRAPH_WIDTH,
    NO_VECTOR,
    NUMBER,
    VIEWPOINT,
    WATERMARK,
    candidate,
    full_scan_kilobytes,
    payload,
    point_id,
    watermark_id,
)
from services.lookup.settings import GallerySettings
from shared.embeddings import DIMENSION, unpack
from shared.errors import SettingsError
from shared.messages import Candidate, Enrolment

UNFINISHED = ".unfinished"


class EdgeGallery:
    """The galleries of one model in one shard; see `gallery.Gallery`.

    It needs no errors of its own: there is no network, and a disk that fails is a crash.
    """

    def __init__(self, shard: qdrant.EdgeShard, search_width: int) -> None:
        self._shard = shard
        self._search_width = search_width

    def enrol(self, enrolments: Sequence[Enrolment]) -> None:
        """The write-ahead log survives a killed process; the flush a power cut, for 5 ms."""
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

    def watermark(self, gallery: str) -> int:
        for point in self._shard.retrieve([watermark_id(gallery)], True, False):
            return int((point.payload or {})[WATERMARK])
        return 0

    def set_watermark(self, gallery: str, number: int) -> None:
        mark = {WATERMARK: number, "of": gallery}
        self._upsert([qdrant.Point(watermark_id(gallery), NO_VECTOR, mark)])

    def search(self, queries: Sequence[Query], limit: int) -> list[list[Candidate]]:
        params = qdrant.SearchParams(hnsw_ef=self._search_width)
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
        """Return whether anything was ever enrolled."""
        return self._shard.info().points_count > 0

    def _upsert(self, points: list[qdrant.Point]) -> None:
        self._shard.update(qdrant.UpdateOperation.upsert_points(points))


class EdgeGalleries:
    """One folder with a shard for each model; see `gallery.Galleries`.

    The folder belongs to one process at a time. Opening merges small segments and
    builds the graphs of galleries that are no longer searched exactly: seconds
    below 100,000 sightings in each, minutes above. That blocks the whole process
    (the engine keeps Python's lock), so it happens here and never while serving;
    what comes in later is searched exactly until the next start.

    Raises:
        SettingsError: another process holds the folder, or it can't be written.
    """

    def __init__(self, settings: GallerySettings) -> None:
        self._settings = settings
        self._folder = Path(settings.path)
        self._galleries: dict[str, EdgeGallery] = {}
        self._shards: list[qdrant.EdgeShard] = []
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self._folder / "lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise SettingsError(
                f"RESIGHT_GALLERY_PATH={settings.path}: another process holds this gallery. "
                "With Qdrant Edge there is one lookup replica; for more, set "
                "RESIGHT_GALLERY_KIND=server"
            ) from None
        except OSError as error:
            raise SettingsError(
                f"RESIGHT_GALLERY_PATH={settings.path} can't be written ({error}); "
                "choose a folder that this user owns"
            ) from error
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder.suffix != UNFINISHED:
                self._load(folder).optimize()

    def open(self, model: str) -> EdgeGallery:
        folder = self._folder / shelf(model)
        if folder.name not in self._galleries:
            self._create(folder)
            self._load(folder)
        return self._galleries[folder.name]

    def empty(self) -> bool:
        return not any(gallery.holds_points() for gallery in self._galleries.values())

    def ready(self) -> bool:
        return not self._lock.closed

    def close(self) -> None:
        for shard in self._shards:
            shard.close()
        self._lock.close()

    def _load(self, folder: Path) -> qdrant.EdgeShard:
        shard = qdrant.EdgeShard.load(str(folder), self._configuration())
        self._shards.append(shard)
        self._galleries[folder.name] = EdgeGallery(shard, self._settings.search_width)
        return shard

    def _create(self, folder: Path) -> None:
        """Make a shard under another name first: a crash can't leave half of one behind."""
        unfinished = folder.with_name(folder.name + UNFINISHED)
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        shard = qdrant.EdgeShard.create(str(unfinished), self._configuration())
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

    def _configuration(self) -> qdrant.EdgeConfig:
        return qdrant.EdgeConfig(
            vectors=qdrant.EdgeVectorParams(DIMENSION, qdrant.Distance.Cosine),
            hnsw_config=qdrant.HnswIndexConfig(
                m=0,
                payload_m=GRAPH_DEGREE,
                ef_construct=GRAPH_WIDTH,
                full_scan_threshold=full_scan_kilobytes(self._settings.exact_below),
            ),
            wal_enabled=True,
        )


def _equals(key: str, value: str | int) -> qdrant.FieldCondition:
    return qdrant.FieldCondition(key, match=qdrant.MatchValue(value))


def _others(query: Query) -> qdrant.Filter:
    never: list[qdrant.ConditionType] = [
        qdrant.HasIdCondition({point_id(query.gallery, query.sighting_id)})
    ]
    if query.hidden is not None:
        never.append(_equals(VIEWPOINT, int(query.hidden)))
    return qdrant.Filter(must=[_equals(GALLERY, query.gallery)], must_not=never)
