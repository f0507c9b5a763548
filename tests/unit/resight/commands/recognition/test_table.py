"""Saved evaluations become one table."""

import json
from pathlib import Path

from typer.testing import CliRunner

from resight.main import app

OPEN_SET = {"auroc": 0.9, "geometric_mean": 0.8, "false_known_rate": 0.05}


def _saved(path: Path, dataset: str, open_set: object, accepted: float | None) -> dict[str, object]:
    names = ("embedding", "neighbours", "local", "count", "fusion")
    found: dict[str, object] = {
        "dataset": dataset,
        "split": "closed",
        "segmenter": "u2netp",
        "model": "lite0-ab-cd",
        "queries": 74,
        "rows": [
            {"pipeline": name, "r1": 0.1 * number, "r1_interval": [0.25, 0.35]}
            for number, name in enumerate(names)
        ],
        "shortlist_recall_at_100": 0.875,
        "open_set": open_set,
        "accepted_false_known": accepted,
    }
    path.write_text(json.dumps(found))
    return found


def test_each_evaluation_is_a_row_and_a_closed_set_has_no_thresholds(tmp_path: Path) -> None:
    _saved(tmp_path / "a.json", "zebras", None, 0.02)
    other = _saved(tmp_path / "b.json", "cats", OPEN_SET, 0.1)
    (tmp_path / "b.json").write_text(json.dumps([other]))
    done = CliRunner().invoke(app, ["table", str(tmp_path / "a.json"), str(tmp_path / "b.json")])
    assert done.exit_code == 0, done.output
    _, _, closed, opened = done.output.strip().splitlines()
    r1 = "0.000 | 0.100 | 0.200 | 0.300 | 0.400"
    shared = f"closed | u2netp | lite0 | 74 | {r1} | 0.250–0.350 | 0.875"
    assert closed == f"| zebras | {shared} |  |  |  |  |"
    assert opened == f"| cats | {shared} | 0.900 | 0.800 | 0.050 | 0.100 |"


def test_a_file_that_is_no_evaluation_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"a": 1}')
    done = CliRunner().invoke(app, ["table", str(tmp_path / "other.json")])
    assert done.exit_code != 0
    assert "other.json was not written by" in done.output.replace("\n", " ")
