"""Any order of decisions, changes and replays leaves the ledger as a small model says."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.registry.identity.entry import OUTCOME_NAMES, Entry
from services.registry.identity.sighting import enrolment_of
from services.registry.identity.view import Conflict, Refusal
from services.registry.ledger.audit import check
from shared.messages import OUTCOME_KNOWN, OUTCOME_NEW, OUTCOME_REVIEW, Decision, Outcome
from tests.support.queries import ledger_at, sighting

GALLERIES = (f"default/species-{number}" for number in itertools.count())


@dataclass(frozen=True)
class Attempt:
    """One call of decide; `lag` is how many enrolments its watermark is behind."""

    sighting: int
    image: int
    outcome: Outcome
    individual: int
    lag: int


@dataclass
class Model:
    """The rules of the ledger, in Python and one at a time."""

    entries: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    images: dict[int, set[int]] = field(default_factory=dict)
    enrolments: int = 0
    individuals: int = 0
    mint: int = 0  # the enrolment of the latest

    def decide(self, attempt: Attempt) -> tuple[int, int, int] | Refusal | Conflict:
        """Return number, enrolment number and individual; or why not."""
        if attempt.sighting in self.entries:
            return self.entries[attempt.sighting]
        taken = self.images.setdefault(attempt.image, set())
        individual = 0
        watermark = max(0, self.enrolments - attempt.lag)
        newest = self.mint if attempt.outcome == OUTCOME_KNOWN else self.enrolments
        if watermark < newest:
            return Refusal(watermark, self.enrolments, leased=False)
        if attempt.outcome in {OUTCOME_NEW, OUTCOME_REVIEW}:
            individual = self.individuals = self.individuals + 1
            self.mint = self.enrolments + 1
        elif attempt.outcome == OUTCOME_KNOWN:
            if attempt.individual > self.individuals or attempt.individual in taken:
                return Conflict()
            individual = attempt.individual
        enrolment = 0
        if individual:
            enrolment = self.enrolments = self.enrolments + 1
            taken.add(individual)
        entry = (len(self.entries) + 1, enrolment, individual)
        self.entries[attempt.sighting] = entry
        return entry


attempts = st.builds(
    Attempt,
    sighting=st.integers(0, 12),
    image=st.integers(0, 4),
    outcome=st.sampled_from(sorted(OUTCOME_NAMES)),
    individual=st.integers(1, 4),
    lag=st.sampled_from([0, 0, 0, 1, 3]),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(calls=st.lists(attempts, max_size=40))
def test_the_ledger_does_as_its_model(ledger_url: str, calls: Sequence[Attempt]) -> None:
    gallery = next(GALLERIES)
    species = gallery.rpartition("/")[2]
    ledger, model = ledger_at(ledger_url), Model()
    for call in calls:
        query = sighting(f"s{call.sighting}", gallery=gallery, image=f"i{call.image}")
        founding = "+0" if call.outcome in {OUTCOME_NEW, OUTCOME_REVIEW} else ""
        known = call.outcome == OUTCOME_KNOWN
        answer = ledger.decide(
            Decision(
                gallery=gallery,
                sighting_id=query.sighting_id,
                image_sha256=query.image_sha256,
                outcome=call.outcome,
                individual=f"{species}-{call.individual:04d}" if known else founding,
            ),
            enrolment_of(query),
            max(0, model.enrolments - call.lag),
        )
        expected = model.decide(call)
        if not isinstance(answer, Entry):
            assert answer == expected
            continue
        decision = answer.decision
        individual = int(decision.individual.rpartition("-")[2] or 0)
        assert (decision.number, decision.enrolment_number, individual) == expected
        assert (answer.enrolment is None) == (decision.enrolment_number == 0)
    assert check(ledger, gallery) == []
