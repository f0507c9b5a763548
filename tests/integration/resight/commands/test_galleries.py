"""`resight galleries`: what there is, and one more than come into being by themselves."""

import json

import pytest
from typer.testing import CliRunner

from resight.main import app
from tests.support.queries import GALLERY, ledger_at, matches, registry, sighting

RUN = CliRunner()


def test_a_gallery_that_a_person_adds_is_there(ledger_url: str) -> None:
    at = ["--ledger-url", ledger_url]
    assert "no galleries yet" in RUN.invoke(app, ["galleries", "list", *at]).stdout
    registry(ledger_at(ledger_url)).handle([matches(sighting("a"))])
    added = RUN.invoke(app, ["galleries", "add", "tsavo/狮子", *at])
    assert added.exit_code == 0, added.output
    listed = RUN.invoke(app, ["galleries", "list", "--json", *at])
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [row["gallery"] for row in rows] == [GALLERY, "tsavo/狮子"]
    assert rows[0] == {"gallery": GALLERY, "decisions": 1, "enrolled": 1, "individuals": 1}


@pytest.mark.parametrize(
    ("name", "meant"), [("Tsavo/Lion", "tsavo/lion"), ("lion", "default/lion")]
)
def test_a_name_that_no_capture_could_give_is_refused_with_the_right_one(
    ledger_url: str, name: str, meant: str
) -> None:
    refused = RUN.invoke(app, ["galleries", "add", name, "--ledger-url", ledger_url])
    assert refused.exit_code == 1
    assert f"did you mean {meant}?" in refused.stderr
