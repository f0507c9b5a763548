"""The boards as Grafana gets them."""

import json

import pytest

from deploy.grafana.__main__ import FOLDER
from deploy.grafana.boards import BOARDS, as_json
from deploy.grafana.panels import Board, Panel, Query, Row


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_the_json_is_up_to_date(board: Board) -> None:
    written = FOLDER.joinpath(f"{board.uid}.json").read_text()
    assert written == as_json(board), "run `make metrics`"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_panel_has_its_own_place_number_and_explanation(board: Board) -> None:
    panels = json.loads(as_json(board))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    drawn = [panel for panel in panels if panel["type"] != "row"]
    assert [panel["title"] for panel in drawn] == [panel.title for panel in board.panels]
    assert all(panel["description"] for panel in drawn)


def test_every_query_takes_the_source_that_is_chosen_at_the_head() -> None:
    for board in BOARDS:
        made = json.loads(as_json(board))
        (variable,) = made["templating"]["list"]
        assert (variable["name"], variable["query"]) == ("datasource", "prometheus")
        for panel in made["panels"]:
            if panel["type"] != "row":
                assert panel["datasource"]["uid"] == "${datasource}"


def test_a_row_that_leaves_a_hole_is_refused() -> None:
    row = Row("a", [Panel("b", "c", [Query("d")], width=5)])
    with pytest.raises(ValueError, match="do not fill"):
        as_json(Board("u", "t", "h", [row]))
