"""Decisions as lines of text."""

from resight.reports.decisions import row
from shared.messages import OPERATION_KIND_SAME, OUTCOME_KNOWN, Change, Decision, Operation


def test_a_decision_is_a_line_with_its_outcome_and_individual() -> None:
    line = row(Decision(sighting_id="s" * 64, outcome=OUTCOME_KNOWN, individual="lion-0001")).plain
    assert "known" in line
    assert "lion-0001" in line


def test_a_persons_operation_is_a_line_with_what_was_done_and_by_whom() -> None:
    operation = Operation(id="1", kind=OPERATION_KIND_SAME, sightings=["a", "b"])
    changes = [Change(individual="lion-0002", into="lion-0001", sightings=["b"])]
    line = row(Decision(actor="ada", operation=operation, changes=changes)).plain
    for word in ("same", "lion-0001", "ada", "a b"):
        assert word in line
