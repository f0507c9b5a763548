"""Prometheus' own tool takes the rules, and every alert is tested and explained."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana.boards import BOARDS
from resight.reference.metrics import metrics

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RULES = sorted((FOLDER / "rules").glob("*.yaml"))
TESTS = FOLDER / "tests" / "alerts.yaml"
# What Triton, its exporter and every Python process say beside us.
FOREIGN = ("nv_", "process_", "ALERTS")


def _rules() -> list[dict[str, Any]]:
    files = [yaml.safe_load(path.read_text()) for path in RULES]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def _alerts() -> list[dict[str, Any]]:
    return [rule for rule in _rules() if "alert" in rule]


def _promtool(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = ["promtool", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_promtool_takes_the_rules_and_their_tests_pass() -> None:
    for done in (_promtool("check", "rules", *RULES), _promtool("test", "rules", TESTS)):
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_tests_fail_where_an_alert_does_not_fire(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "tests").mkdir()
    for path in RULES:
        text = path.read_text().replace("stopped) == 1", "stopped) == 2")
        (tmp_path / "rules" / path.name).write_text(text)
    (tmp_path / "tests" / "alerts.yaml").write_text(TESTS.read_text())
    done = _promtool("test", "rules", tmp_path / "tests" / "alerts.yaml")
    assert done.returncode != 0
    assert "ResightStopped" in done.stdout + done.stderr


def test_every_alert_is_tested() -> None:
    tested = set(re.findall(r'alertname="(\w+)"', TESTS.read_text()))
    assert tested == {rule["alert"] for rule in _alerts()}


@pytest.mark.parametrize("rule", _alerts(), ids=lambda rule: rule["alert"])
def test_every_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "description"}
    runbook = (ROOT / "docs" / "operations.md").read_text()
    assert f"\n### {rule['alert']}\n" in runbook


def test_rules_and_boards_name_only_what_is_there() -> None:
    known = {measure.name for measure in metrics()} | {
        rule["record"] for rule in _rules() if "record" in rule
    }
    queries = [rule["expr"] for rule in _rules()]
    queries += [
        query.promql for board in BOARDS for panel in board.panels for query in panel.queries
    ]
    for promql in queries:
        names = re.findall(r"\b(?:\w*:)?resight[_:][\w:]+|\bnv_\w+", promql)
        assert names, promql
        for name in names:
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            assert base in known or name.startswith(FOREIGN), name
