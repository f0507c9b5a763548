"""How a stream ended, as JSON and as a table."""

from rich.console import Console

from recognition.clustering_metrics import Pairwise
from recognition.replay.session import ReplayResult, as_json
from recognition.replay.stream import Score
from resight.reports.replay_table import result_table

PAIRS = Pairwise(0.9, 0.6, 0.72)


def _score(f1: float = 0.72) -> Score:
    return Score(
        sightings=40,
        decisions={"known": 30, "new": 8, "review": 2, "unidentifiable": 0},
        pairs=Pairwise(0.9, 0.6, f1),
        bcubed=PAIRS,
        ari=0.7,
        false_known=0.0,
        individuals=12,
        individuals_true=10,
        merges=1,
        splits=0,
    )


def test_questions_are_counted_for_each_hundred_sightings() -> None:
    told = as_json(ReplayResult(_score(), questions=6))
    assert (told["questions"], told["questions_per_100"]) == (6, 15.0)
    assert "f1_after_answers" not in told
    assert ReplayResult(_score(), questions=0).questions_per_100 == 0


def test_answers_are_told_one_by_one_and_the_last_counts() -> None:
    found = ReplayResult(_score(), questions=6, after=[_score(0.8), _score(0.85)])
    told = as_json(found)
    assert (told["answers"], told["f1_after_answers"]) == (2, 0.85)
    assert told["f1_by_answers"] == [0.8, 0.85]
    console = Console(record=True, width=90)
    console.print(result_table(found, "40 sightings"))
    assert "15.0" in console.export_text()
