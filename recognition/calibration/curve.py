"""One curve from labelled arrivals: probabilities first, then the thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recognition.calibration.family import Fit, best_family
from recognition.calibration.individuals import fit_competition
from recognition.calibration.pairs import Case, Pairs, cases, folds
from recognition.calibration.queries import RankedQuery, ask, ranked
from recognition.calibration.thresholds import Thresholds
from recognition.data.labelled_stream import Arrival
from services.registry.calibration.calibration import Curve
from services.registry.calibration.drift import Histogram

BINS = 10


@dataclass(frozen=True)
class Fitted:
    """A curve without thresholds, and queries by which they may be chosen.

    Each query was ranked by a curve that was fitted without its individual, or without its
    whole data set, over a gallery at least half as large as the last one: a small gallery
    makes too few mistakes.
    """

    curve: Curve
    queries: tuple[RankedQuery, ...]

    def cut(self, at: Thresholds) -> Curve:
        """Return the curve with thresholds."""
        return self.curve.model_copy(
            update={"known": at.known, "new": at.new, "promise": at.promise}
        )


def fit_curve(
    species: Mapping[str, Sequence[Arrival]], sets: Mapping[str, str] | None = None
) -> Fitted:
    """Fit evidence to probability on sightings as they arrived, by species.

    The curve calls nothing known and nothing new until it is cut. `sets` names each
    species' data set where the curve is meant for species that it was not fitted on: the
    queries of a set are then ranked by a curve of the other sets.

    Raises:
        CalibrationError: there are no pairs of one individual, or none of different ones.
    """
    every = cases(species)
    dealt = _dealt(every, sets)
    # What stands for a new animal alone says nothing of how alike an animal's pictures are.
    learnt = [case for case in every if case.arrival.stands_for != "new"]
    pairs = Pairs.of(learnt, dealt)
    fit = best_family(pairs)
    names = ", ".join(sorted(species))
    curve = _curve(learnt, pairs, fit, names)
    settled = cases({name: arrived[len(arrived) // 2 :] for name, arrived in species.items()})
    queries = []
    for fold in sorted(set(dealt.values())):
        others = pairs.where(pairs.folds != fold)
        # Without both kinds of pairs the others have no curve, and this fold's animals no say.
        if others.labels.any() and not others.labels.all():
            kept = [case for case in learnt if dealt[case.individual] != fold]
            asked = [case for case in settled if dealt[case.individual] == fold]
            queries += ask(asked, _curve(kept, others, fit, names))
    seen = [ranked(case, curve).probability for case in settled if case.arrival.evidence]
    if seen:
        edges = np.unique(np.quantile(seen, np.linspace(0, 1, BINS + 1)[1:-1]))
        curve = curve.model_copy(update={"baseline": Histogram.of(seen, edges)})
    return Fitted(curve, tuple(queries))


def _dealt(every: Sequence[Case], sets: Mapping[str, str] | None) -> dict[str, int]:
    """Return the fold of each individual: its data set, or one by lot.

    By lot, too, where fewer than two sets have two pictures of one individual: there would
    be no curve without the one.
    """
    if sets is not None:
        fit = {sets[case.species] for case in every if case.arrival.labels().any()}
        if len(fit) > 1:
            numbers = {name: number for number, name in enumerate(sorted(set(sets.values())))}
            return {case.individual: numbers[sets[case.species]] for case in every}
    return folds(case.individual for case in every)


def _curve(found: Sequence[Case], pairs: Pairs, fit: Fit, fitted_on: str) -> Curve:
    family = fit(pairs)
    competition = fit_competition([case.arrival for case in found], family)
    return Curve(
        family=family,
        dependence=competition.dependence,
        temperature=competition.temperature,
        nobody=competition.nobody,
        known=1.0,
        new=0.0,
        fitted_on=fitted_on,
        pairs=len(pairs.labels),
        queries=len(found),
    )
