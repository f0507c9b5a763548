"""One evaluation from captures to numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from recognition.arrivals import LabelledCapture
from recognition.evaluation.fitting import fitted
from recognition.evaluation.report import Report, report
from recognition.evaluation.trial import Asked, Gallery, embed
from recognition.inline import Handlers
from services.registry.calibration import Calibration, Curve

T = TypeVar("T")


class Watch(Protocol):
    """Passes items on and shows how far it is."""

    def __call__(self, items: Iterable[T], what: str, total: int) -> Iterable[T]: ...


@dataclass(frozen=True)
class Conditions:
    """How an evaluation is run.

    whole: viewpoints are ignored, so left flanks are compared with right ones too
    seed: draws the pictures that the thresholds rest on, and the bootstrap
    fitting: sources of the gallery's pictures that the calibration is fitted on
    false_known: the share of new animals that may be called known
    workers: queries that are compared at the same time
    """

    whole: bool
    seed: int
    fitting: frozenset[str]
    false_known: float
    workers: int


@dataclass(frozen=True)
class Evaluation:
    """What was asked of which gallery, by which calibration, and what it came to."""

    gallery: Gallery
    asked: tuple[Asked, ...]
    calibration: Calibration
    report: Report

    def curve(self, asked: Asked) -> Curve:
        """Return the curve that a query was decided by."""
        return self.calibration.curve(asked.subject.sighting.gallery)


def run(
    gallery: Iterable[LabelledCapture],
    queries: Iterable[LabelledCapture],
    through: Handlers,
    conditions: Conditions,
    *,
    calibration: Calibration | None,
    watch: Watch,
) -> Evaluation:
    """Enrol the gallery, then ask every query of it; both have at least one capture.

    Without a `calibration` one is fitted on the gallery alone: its pictures are asked against
    those of other encounters.

    Raises:
        ArrivalError: a service refuses a picture.
        CalibrationError: the gallery does not suffice to fit a calibration.
    """
    enrolled = list(embed(gallery, through.embedder, whole=conditions.whole))
    asking = list(embed(queries, through.embedder, whole=conditions.whole))
    held = Gallery(enrolled, through.lookup, through.matcher, conditions.workers)
    crops = len(held.subjects) + len(asking)
    for _ in watch(held.prepare(asking), "finding keypoints", crops):
        pass
    if calibration is None:
        chosen = [each for each in held.subjects if each.source in conditions.fitting]
        compared = watch(held.ask(chosen, elsewhere=True), "fitting on the gallery", len(chosen))
        calibration = fitted(compared, conditions.false_known)
    asked = tuple(watch(held.ask(asking), "asking the queries", len(asking)))
    numbers = report(asked, len(held.subjects), calibration, conditions.seed)
    return Evaluation(held, asked, calibration, numbers)
