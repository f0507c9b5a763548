"""What strangers have written reaches a terminal as text and as nothing else."""

import io

from rich.table import Table
from rich.text import Text

from resight.console import PlainConsole
from resight.reports.decisions import row
from shared.messages import Decision

NAME = "gate\x1b[2J\x1b]0;owned\x07\nforged line[bold]"


def _shown(*things: object) -> str:
    target = io.StringIO()
    console = PlainConsole(file=target, width=200, highlight=False, markup=False)
    for thing in things:
        console.print(thing, soft_wrap=True)
    return target.getvalue()


def test_a_decision_is_one_line_without_escape_codes() -> None:
    text = _shown(row(Decision(deployment=NAME, individual=NAME)))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert text.count("\n") == 1


def test_so_are_plain_texts_and_the_cells_of_tables() -> None:
    table = Table("name")
    table.add_row(NAME)
    text = _shown(NAME, Text(NAME), table)
    assert "\x1b" not in text
    assert "[bold]" in text
