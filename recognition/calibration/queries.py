"""Sightings asked twice: as they came, and as if their animal had never been seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from recognition.calibration.pairs import Case
from recognition.data.labelled_stream import Arrival
from services.registry.calibration.calibration import Curve
from services.registry.identity.rank import rank


@dataclass(frozen=True)
class RankedQuery:
    """How a query came out: its first-ranked individual's probability, and the truth.

    `individual` is the query's own, as `Case` names it: species/identity.
    `known`: it is in the gallery. `right`: it is the first-ranked one. Without any
    candidate the probability is 0.
    """

    individual: str
    probability: float
    known: bool
    right: bool

    @property
    def species(self) -> str:
        """The query's species."""
        return self.individual.partition("/")[0]


def without_own(arrival: Arrival) -> Arrival:
    """Return the sighting as one of a new animal: its individual is not in the gallery.

    The candidates that its own pictures kept off the shortlist stay away; each was less
    like the query than all that are on it.
    """
    others = tuple(
        item
        for item in arrival.evidence
        if arrival.members[item.candidate.sighting_id] != arrival.identity
    )
    return replace(arrival, known=False, evidence=others)


def ask(cases: Sequence[Case], curve: Curve) -> list[RankedQuery]:
    """Return each sighting as a new animal's and, if its animal is known, as a known one's.

    One that stands for either alone is asked as that.
    """
    found = []
    for case in cases:
        if case.arrival.stands_for != "known":
            found.append(ranked(replace(case, arrival=without_own(case.arrival)), curve))
        if case.arrival.known and case.arrival.stands_for != "new":
            found.append(ranked(case, curve))
    return found


def ranked(case: Case, curve: Curve) -> RankedQuery:
    """Return how the registry ranks one case."""
    arrival = case.arrival
    found = rank(arrival.evidence, arrival.members, frozenset(), curve)
    if not found:
        return RankedQuery(case.individual, 0.0, arrival.known, right=False)
    first = found[0]
    right = first.individual == arrival.identity
    return RankedQuery(case.individual, first.probability, arrival.known, right)
