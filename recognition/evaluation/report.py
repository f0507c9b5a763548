"""Results of an evaluation, in numbers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.bootstrap import bootstrap_interval
from recognition.evaluation import open_set
from recognition.evaluation.closed_set import average_precision, rank_of_first, shortlisted, within
from recognition.evaluation.gallery_session import QueryResult
from recognition.evaluation.pipelines import pipelines
from recognition.evaluation.predictions import Prediction, predict, probabilities, right
from recognition.evaluation.reliability import bins, calibration_error
from services.registry.calibration.calibration import Calibration

SHORTLIST = 100
FALSE_POSITIVE_RATES = (0.01, 0.1)


@dataclass(frozen=True)
class Row:
    """One pipeline over the known queries; `r1_interval` is the 95 % bootstrap interval."""

    pipeline: str
    r1: float
    r1_interval: tuple[float, float]
    r5: float
    r20: float
    map: float


@dataclass(frozen=True)
class OpenSet:
    """Known against unknown, as `recognition.evaluation.open_set` defines each."""

    auroc: float
    baks: float
    baus: float
    geometric_mean: float
    false_known_rate: float
    false_known_bound: float
    dir_at_fpir: dict[str, float]


@dataclass(frozen=True)
class Report:
    """The numbers of one data set, split and model.

    `known`: number of queries whose individual is in the gallery; the rows are about those, and
        empty without. `open_set` needs known and unknown ones.
    `places`: for each pipeline the rank of the right individual, float64 [known].
    """

    queries: int
    known: int
    gallery: int
    rows: tuple[Row, ...]
    shortlist_recall: float | None
    open_set: OpenSet | None
    calibration_error: float
    places: dict[str, NDArray[np.float64]]
    answers: tuple[Prediction, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers for JSON."""
        return {
            "queries": self.queries,
            "known": self.known,
            "gallery": self.gallery,
            "rows": [asdict(row) for row in self.rows],
            f"shortlist_recall_at_{SHORTLIST}": self.shortlist_recall,
            "open_set": None if self.open_set is None else asdict(self.open_set),
            "calibration_error": self.calibration_error,
        }


def report(
    asked: Sequence[QueryResult], gallery: int, calibration: Calibration, seed: int
) -> Report:
    """Return the report of the queries.

    Args:
        asked: all queries, at least one.
        gallery: number of sightings in it.
        calibration: the registry's; `fusion` ranks by it.
        seed: of the bootstrap.
    """
    curves = [calibration.curve(each.subject.sighting.gallery) for each in asked]
    answers = [predict(each.labelled, curve) for each, curve in zip(asked, curves, strict=True)]
    findable = [
        (each, curve) for each, curve in zip(asked, curves, strict=True) if each.labelled.known
    ]
    places: dict[str, list[float]] = {}
    precisions: dict[str, list[float]] = {}
    for each, curve in findable:
        for pipeline in pipelines(curve):
            ranking = pipeline.individuals(each.labelled)
            places.setdefault(pipeline.name, []).append(
                rank_of_first(ranking, each.labelled.identity)
            )
            precisions.setdefault(pipeline.name, []).append(
                average_precision(pipeline.pictures(each.labelled), each.relevant)
            )
    found = {name: np.array(values) for name, values in places.items()}
    shortlist = [shortlisted(each.labelled, SHORTLIST) for each, _ in findable]
    return Report(
        queries=len(asked),
        known=len(findable),
        gallery=gallery,
        rows=tuple(_row(name, found[name], precisions[name], seed) for name in found),
        shortlist_recall=float(np.mean(shortlist)) if shortlist else None,
        open_set=_open_set(answers) if 0 < len(findable) < len(asked) else None,
        calibration_error=calibration_error(bins(probabilities(answers), right(answers))),
        places=found,
        answers=tuple(answers),
    )


def _row(pipeline: str, places: NDArray[np.float64], precisions: Sequence[float], seed: int) -> Row:
    first = within(places, 1)
    # For one query there is no interval.
    spread = bootstrap_interval(first, seed) if len(first) > 1 else None
    return Row(
        pipeline=pipeline,
        r1=float(first.mean()),
        r1_interval=(spread.low, spread.high) if spread else (0.0, 1.0),
        r5=float(within(places, 5).mean()),
        r20=float(within(places, 20).mean()),
        map=float(np.mean(precisions)),
    )


def _open_set(answers: Sequence[Prediction]) -> OpenSet:
    return OpenSet(
        auroc=open_set.auroc(answers),
        baks=open_set.baks(answers),
        baus=open_set.baus(answers),
        geometric_mean=open_set.geometric_mean(answers),
        false_known_rate=open_set.false_known_rate(answers),
        false_known_bound=open_set.false_known_bound(answers),
        dir_at_fpir={
            f"{rate:g}": open_set.identification_rate(answers, rate)
            for rate in FALSE_POSITIVE_RATES
        },
    )
