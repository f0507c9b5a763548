"""At night the model is adapted to the ledger's animals, and taken only if it is better."""

import sys
from datetime import datetime
from pathlib import Path

import pytest

from resight.learning import nightly
from resight.learning.nightly import LearnedModel, NightlyLearner, learned_model
from services.registry.ledger import learning
from services.registry.ledger.learning import Learning
from services.registry.ledger.ledger import Ledger
from shared.errors import Transient
from tests.integration.services.registry.review.test_reviewer import decide
from tests.support.queries import ledger_at
from tests.support.waiting import wait_until

LEARNS = (
    "import pathlib, sys; folder = pathlib.Path(sys.argv[1]); folder.mkdir(parents=True); "
    "(folder / 'model.onnx').write_text('model'); (folder / 'calibration.json').write_text('{}')"
)
IS_NO_BETTER = "import sys; sys.exit('error: the adapted model is not better')"
NIGHT = datetime(2026, 5, 1, 2, 30).astimezone().timestamp()
DAY = 86_400.0


@pytest.fixture
def ledger(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A ledger with two entries, which are enough here."""
    monkeypatch.setattr(nightly, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(nightly, "MIN_NEW", 2)
    made = ledger_at(ledger_url)
    for name in "ab":
        decide(made, name)
    return made


def over(learner: NightlyLearner) -> bool:
    learner.tick()
    return not learner.running


def attempt(ledger: Ledger, folder: Path, code: str, at: float = NIGHT) -> Learning | None:
    """The note about the latest attempt, after a night at this time."""
    learner = NightlyLearner(ledger, folder, [sys.executable, "-c", code], now=lambda: at)
    before = learning.latest(ledger.store)
    learner.tick()
    if learner.running:
        wait_until(lambda: over(learner))
    after = learning.latest(ledger.store)
    return None if after == before else after


def test_a_better_model_is_used_from_the_next_start_on(ledger: Ledger, tmp_path: Path) -> None:
    assert learned_model(tmp_path) is None
    told = attempt(ledger, tmp_path, LEARNS)
    assert told is not None
    assert told.taken
    folder = tmp_path / "learned" / "2026-05-01"
    expected = LearnedModel(str(folder / "model.onnx"), str(folder / "calibration.json"))
    assert learned_model(tmp_path) == expected
    Path(expected.model).unlink()
    assert learned_model(tmp_path) is None


def test_a_result_that_could_not_be_recorded_is_recorded_later(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = NightlyLearner(ledger, tmp_path, [sys.executable, "-c", LEARNS], now=lambda: NIGHT)
    learner.tick()
    with monkeypatch.context() as away:
        failed: list[Learning] = []

        def fails(_store: object, attempt: Learning) -> None:
            failed.append(attempt)
            raise Transient("the ledger is restarting")

        away.setattr(learning, "keep", fails)
        wait_until(lambda: not over(learner) and bool(failed))
    wait_until(lambda: over(learner))
    assert learning.latest(ledger.store) == failed[0]


def test_one_that_is_no_better_is_not_taken_and_why_is_told(ledger: Ledger, tmp_path: Path) -> None:
    told = attempt(ledger, tmp_path, IS_NO_BETTER)
    assert told is not None
    assert (told.taken, told.told) == (False, "No better model: the adapted model is not better")
    assert learned_model(tmp_path) is None


def test_it_waits_for_the_night_and_for_enough_new_entries(ledger: Ledger, tmp_path: Path) -> None:
    assert attempt(ledger, tmp_path, LEARNS, NIGHT + DAY / 2) is None
    assert attempt(ledger, tmp_path, IS_NO_BETTER) is not None
    for name in "cd":
        decide(ledger, name)
    assert attempt(ledger, tmp_path, LEARNS, NIGHT + 600) is None  # once a night
    assert attempt(ledger, tmp_path, LEARNS, NIGHT + DAY) is not None
    assert attempt(ledger, tmp_path, LEARNS, NIGHT + 2 * DAY) is None  # nothing new
