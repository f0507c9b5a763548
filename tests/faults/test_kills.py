"""Services that are killed at random moments lose nothing and do nothing twice."""

import os
import random
import signal
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from catalogue.publishing.account import Account
from catalogue.reading.catalogue import Photograph
from recognition.clustering_metrics import pairwise
from resight.stack.profile import SERVICES
from resight.stack.supervisor import Supervisor
from tests.faults.conftest import CAPTURES_PUBLISHED, Run, run

KILLS = 7
SEED = 7
# Kills may change the grouping's F1 by so much.
MOVED = 0.02

pytestmark = pytest.mark.timeout(1200)


class Killer:
    """Kills a random service with SIGKILL whenever the next random number of decisions is made."""

    def __init__(self, sightings: int, seed: int) -> None:
        chance = random.Random(seed)
        moments = sorted(chance.sample(range(1, sightings - 5), KILLS))
        self.plan = [(moment, chance.choice(SERVICES)) for moment in moments]
        self.killed: list[str] = []

    def __call__(self, supervisor: Supervisor, account: Account) -> None:
        if not self.plan or len(account.decisions) < self.plan[0][0]:
            return
        service = self.plan[0][1]
        # It may still be on its way up from its last death: then the kill waits for it.
        if supervisor.readiness()[service] and service in supervisor.processes():
            os.kill(supervisor.processes()[service], signal.SIGKILL)
            self.killed.append(self.plan.pop(0)[1])


@pytest.fixture(scope="module")
def disturbed(
    photographs: Sequence[Photograph],
    models: Path,
    tmp_path_factory: pytest.TempPathFactory,
    calm: Run,
) -> Run:
    killer = Killer(len(calm.account.published), SEED)
    left = run(photographs, tmp_path_factory.mktemp("disturbed"), models, killer)
    assert len(killer.killed) == KILLS
    return left


def test_every_sighting_is_decided_and_none_is_lost(disturbed: Run) -> None:
    assert disturbed.account.captures == CAPTURES_PUBLISHED
    assert disturbed.account.missing == []
    assert disturbed.letters == []
    assert set(disturbed.account.decisions) == set(disturbed.account.published)


def test_no_sighting_is_decided_twice(disturbed: Run) -> None:
    copies: dict[str, set[bytes]] = defaultdict(set)
    for record, decision in zip(disturbed.records, disturbed.decisions, strict=True):
        copies[decision.sighting_id].add(record.value or b"")
    # A replay may publish a decision again, but only the same bytes.
    assert {sighting for sighting, values in copies.items() if len(values) > 1} == set()
    assert disturbed.entries == len(disturbed.account.published)


def test_the_ledger_is_sound_and_without_gaps(disturbed: Run) -> None:
    assert disturbed.faults == []
    for enrolled in disturbed.enrolled.values():
        assert sorted(enrolled) == list(range(1, len(enrolled) + 1))
    numbers: dict[str, set[int]] = defaultdict(set)
    for decision in disturbed.decisions:
        numbers[decision.gallery].add(decision.number)
    for found in numbers.values():
        assert found == set(range(1, len(found) + 1))


def test_the_gallery_holds_exactly_what_the_ledger_enrolled(disturbed: Run) -> None:
    assert disturbed.held == disturbed.enrolled


def test_the_grouping_is_as_undisturbed(disturbed: Run, calm: Run) -> None:
    """A late enrolment takes a sighting through another pass, and one pass more shows another
    candidate to LightGlue: what stands at the threshold may fall to its other side, no more.
    """
    assert calm.f1() > 0.8
    assert disturbed.f1() == pytest.approx(calm.f1(), abs=MOVED)
    together = pairwise(disturbed.groups(), calm.groups())
    assert together.f1 is not None
    assert together.f1 >= 1 - 2 * MOVED
