"""Runs one evaluation, from captures to numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from recognition.data.labelled_stream import LabelledCapture
from recognition.evaluation.gallery_session import (
    EmbeddedSighting,
    GallerySession,
    QueryResult,
    embed,
)
from recognition.evaluation.report import Report, report
from recognition.replay.in_process import Handlers
from services.registry.calibration.calibration import Calibration, Curve

T = TypeVar("T")


class Watch(Protocol):
    """Iterates with progress."""

    def __call__(self, items: Iterable[T], what: str, total: int) -> Iterable[T]: ...


@dataclass(frozen=True)
class Conditions:
    """Conditions of an evaluation.

    whole: viewpoints are ignored, so left flanks are compared with right ones too
    seed: of the bootstrap
    workers: queries compared in parallel
    """

    whole: bool
    seed: int
    workers: int


@dataclass(frozen=True)
class Evaluation:
    """The queries, gallery, calibration and report of an evaluation."""

    gallery: GallerySession
    asked: tuple[QueryResult, ...]
    calibration: Calibration
    report: Report
    whole: bool

    def curve(self, asked: QueryResult) -> Curve:
        """Return the curve for a query."""
        return self.calibration.curve(asked.subject.sighting.gallery)


def fitting_queries(
    gallery: Iterable[LabelledCapture],
    chosen: frozenset[str],
    through: Handlers,
    conditions: Conditions,
    watch: Watch,
) -> list[QueryResult]:
    """Use the gallery's pictures whose source is `chosen` as queries, apart from their encounters.

    Raises:
        LabelledStreamError: a service refuses a picture.
    """
    enrolled = list(embed(gallery, through.embedder, whole=conditions.whole))
    held = _gallery(enrolled, (), through, conditions, watch)
    asking = [each for each in held.subjects if each.source in chosen]
    return list(
        watch(held.ask(asking, other_encounters=True), "fitting on the gallery", len(asking))
    )


def run(
    gallery: Iterable[LabelledCapture],
    queries: Iterable[LabelledCapture],
    through: Handlers,
    conditions: Conditions,
    *,
    calibration: Calibration,
    watch: Watch,
) -> Evaluation:
    """Enrol the gallery, then run every query; both have at least one capture.

    Raises:
        LabelledStreamError: a service refuses a picture.
    """
    enrolled = list(embed(gallery, through.embedder, whole=conditions.whole))
    asking = list(embed(queries, through.embedder, whole=conditions.whole))
    held = _gallery(enrolled, asking, through, conditions, watch)
    asked = tuple(watch(held.ask(asking), "comparing the queries", len(asking)))
    numbers = report(asked, len(held.subjects), calibration, conditions.seed)
    return Evaluation(held, asked, calibration, numbers, conditions.whole)


def _gallery(
    enrolled: Sequence[EmbeddedSighting],
    asking: Sequence[EmbeddedSighting],
    through: Handlers,
    conditions: Conditions,
    watch: Watch,
) -> GallerySession:
    """Return the gallery, with the keypoints of all pictures extracted."""
    held = GallerySession(enrolled, through.lookup, through.matcher, conditions.workers)
    crops = len(held.subjects) + len(asking)
    for _ in watch(held.prepare(asking), "finding keypoints", crops):
        pass
    return held
