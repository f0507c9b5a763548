"""Fits one curve to labelled sightings: probabilities first, then thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recognition.calibration.family import Fit, best_family
from recognition.calibration.individuals import fit_competition
from recognition.calibration.pairs import LabelledQuery, Pairs, folds, labelled_queries
from recognition.calibration.queries import CalibrationQuery, ask, ranked
from recognition.calibration.thresholds import Thresholds, floors
from recognition.data.labelled_stream import LabelledSighting
from services.registry.calibration.calibration import Curve
from services.registry.calibration.drift import Histogram

BINS = 10


@dataclass(frozen=True)
class FittedCurve:
    """A curve without thresholds, and queries to choose them.

    Each query was ranked by a curve fitted without its individual, or without its whole data set,
    over a gallery at least half of its final size: a small gallery makes too few mistakes.
    """

    curve: Curve
    queries: tuple[CalibrationQuery, ...]

    def cut(self, at: Thresholds, sets: Mapping[str, str]) -> Curve:
        """Return the curve with thresholds; `sets` names each species' data set."""
        return self.curve.model_copy(
            update={
                "known": at.known,
                "new": at.new,
                "floors": floors(self.queries, at.known, sets),
                "guarantee": at.guarantee,
            }
        )


def fit_curve(
    species: Mapping[str, Sequence[LabelledSighting]], sets: Mapping[str, str] | None = None
) -> FittedCurve:
    """Fit probabilities to sightings in their order, by species.

    Without thresholds the curve calls nothing known or new. `sets` names each species' data set if
    the curve is meant for unseen species: then the queries of a set are ranked by a curve of the
    other sets.

    Raises:
        CalibrationError: there are no pairs of one individual, or none of different ones.
    """
    every = labelled_queries(species)
    dealt = _dealt(every, sets)
    # A sighting that may only stand for a new animal says nothing about how similar an animal's
    # pictures are.
    learnt = [query for query in every if query.labelled.calibration_role != "new"]
    pairs = Pairs.of(learnt, dealt)
    fit = best_family(pairs)
    names = ", ".join(sorted(species))
    curve = _curve(learnt, pairs, fit, names)
    settled = labelled_queries(
        {name: sightings[len(sightings) // 2 :] for name, sightings in species.items()}
    )
    queries = []
    for fold in sorted(set(dealt.values())):
        others = pairs.where(pairs.folds != fold)
        # Without both kinds of pairs the others have no curve, so this fold's animals are skipped.
        if others.labels.any() and not others.labels.all():
            kept = [query for query in learnt if dealt[query.individual] != fold]
            asked = [query for query in settled if dealt[query.individual] == fold]
            queries += ask(asked, _curve(kept, others, fit, names))
    seen = [ranked(query, curve).probability for query in settled if query.labelled.evidence]
    if seen:
        edges = np.unique(np.quantile(seen, np.linspace(0, 1, BINS + 1)[1:-1]))
        curve = curve.model_copy(update={"baseline": Histogram.of(seen, edges)})
    return FittedCurve(curve, tuple(queries))


def _dealt(every: Sequence[LabelledQuery], sets: Mapping[str, str] | None) -> dict[str, int]:
    """Return the fold of each individual: its data set, or a random one.

    Random if fewer than two sets have two pictures of one individual, because leaving out that one
    would leave no curve.
    """
    if sets is not None:
        fit = {sets[query.species] for query in every if query.labelled.labels().any()}
        if len(fit) > 1:
            numbers = {name: number for number, name in enumerate(sorted(set(sets.values())))}
            return {query.individual: numbers[sets[query.species]] for query in every}
    return folds(query.individual for query in every)


def _curve(found: Sequence[LabelledQuery], pairs: Pairs, fit: Fit, fitted_on: str) -> Curve:
    family = fit(pairs)
    competition = fit_competition([query.labelled for query in found], family)
    return Curve(
        family=family,
        dependence=competition.dependence,
        temperature=competition.temperature,
        unknown_logit=competition.unknown_logit,
        known=1.0,
        new=0.0,
        fitted_on=fitted_on,
        pairs=len(pairs.labels),
        queries=len(found),
    )
