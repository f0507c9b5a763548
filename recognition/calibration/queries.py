"""Queries for calibration: each sighting as it came, and as if its animal were new."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from recognition.calibration.pairs import LabelledQuery, species_of
from recognition.data.labelled_stream import LabelledSighting
from services.registry.calibration.calibration import Curve
from services.registry.features.evidence import essentials
from services.registry.identity.rank import rank


@dataclass(frozen=True)
class CalibrationQuery:
    """Result of a query: its first-ranked individual's probability, and the truth.

    `individual` is the query's own, as `LabelledQuery` names it: species/identity.
    `known`: it is in the gallery. `right`: it is the first-ranked one. Without candidates the
        probability is 0. `essentials`: of the best evidence, see `ESSENTIAL`.
    """

    individual: str
    probability: float
    known: bool
    right: bool
    essentials: tuple[float, ...] = ()

    @property
    def species(self) -> str:
        """The query's species."""
        return species_of(self.individual)


def without_own(labelled: LabelledSighting) -> LabelledSighting:
    """Return the sighting as one of a new animal: without its individual in the gallery.

    Candidates that its own pictures displaced from the shortlist stay away; each was less similar
    than all on it.
    """
    others = tuple(
        item
        for item in labelled.evidence
        if labelled.members[item.candidate.sighting_id] != labelled.identity
    )
    return replace(labelled, known=False, evidence=others)


def ask(cases: Sequence[LabelledQuery], curve: Curve) -> list[CalibrationQuery]:
    """Return each sighting as a new animal's and, if its animal is known, as a known one's.

    One that may stand for only one of these is used as that.
    """
    found = []
    for query in cases:
        if query.labelled.calibration_role != "known":
            found.append(ranked(replace(query, labelled=without_own(query.labelled)), curve))
        if query.labelled.known and query.labelled.calibration_role != "new":
            found.append(ranked(query, curve))
    return found


def ranked(query: LabelledQuery, curve: Curve) -> CalibrationQuery:
    """Return the registry's ranking of one query."""
    labelled = query.labelled
    found = rank(labelled.evidence, labelled.members, frozenset(), curve)
    if not found:
        return CalibrationQuery(query.individual, 0.0, labelled.known, right=False)
    first = found[0]
    right = first.individual == labelled.identity
    return CalibrationQuery(
        query.individual, first.probability, labelled.known, right, essentials(first.best)
    )
