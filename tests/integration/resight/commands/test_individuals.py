"""`resight individuals`: what is open, and what a person says about it."""

import json

from typer.testing import CliRunner

from resight.main import app
from tests.support.queries import GALLERY, ledger_at, matches, registry, sighting

RUN = CliRunner()


def test_a_person_says_who_is_who_and_takes_it_back(ledger_url: str) -> None:
    at = ["--ledger-url", ledger_url, "--as", "ada"]
    ledger = ledger_at(ledger_url)
    for number, name in enumerate("abc"):
        registry(ledger).handle([matches(sighting(name), watermark=number)])
    said = RUN.invoke(app, ["individuals", "same", "a", "b", "--reason", "her ear", *at])
    assert said.exit_code == 0, said.output
    assert f"entry 4 of {GALLERY}" in said.stdout
    assert "1 of plains-zebra-0002 now belong to plains-zebra-0001" in said.stdout
    assert "the registry will publish it at its next start" in " ".join(said.stderr.split())
    entry = ledger.entry(GALLERY, 4)
    assert entry is not None
    assert (entry.decision.actor, entry.decision.operation.reason) == ("ada", "her ear")
    RUN.invoke(app, ["individuals", "different", "a", "c", *at])
    RUN.invoke(app, ["individuals", "move", "b", "--into", "plains-zebra-0003", *at])
    assert ledger.individuals(GALLERY) == {
        "plains-zebra-0001": ["a"],
        "plains-zebra-0003": ["b", "c"],
    }
    RUN.invoke(app, ["individuals", "undo", GALLERY, "6", *at])
    assert ledger.individuals(GALLERY)["plains-zebra-0001"] == ["a", "b"]


def test_an_individual_is_shown_confirmed_and_its_bad_pictures_left_out(ledger_url: str) -> None:
    at = ["--ledger-url", ledger_url]
    ledger = ledger_at(ledger_url)
    for number, name in enumerate("abc"):
        registry(ledger).handle([matches(sighting(name), watermark=number)])
    RUN.invoke(app, ["individuals", "same", "a", "b", *at])
    shown = RUN.invoke(app, ["individuals", "show", "plains-zebra-0002", *at]).stdout
    line = f"plains-zebra-0001 (formerly plains-zebra-0002) of {GALLERY}, sightings: 2"
    assert line in " ".join(shown.split())
    told = RUN.invoke(app, ["individuals", "show", "plains-zebra-0001", "--json", *at]).stdout
    assert json.loads(told)["sightings"] == ["a", "b"]
    confirmed = RUN.invoke(app, ["individuals", "confirm", "plains-zebra-0002", *at])
    assert confirmed.exit_code == 0, confirmed.output
    left_out = RUN.invoke(app, ["individuals", "unidentifiable", "b", "c", *at])
    assert "1 of plains-zebra-0003 now belong to no individual" in left_out.stdout
    assert ledger.individuals(GALLERY) == {"plains-zebra-0001": ["a"]}
    unknown = RUN.invoke(app, ["individuals", "show", "plains-zebra-0003", *at])
    assert unknown.exit_code == 1
    assert "no gallery has an individual plains-zebra-0003" in unknown.stderr


def test_what_cant_be_is_refused_with_the_reason(ledger_url: str) -> None:
    at = ["--ledger-url", ledger_url]
    refused = RUN.invoke(app, ["individuals", "same", "x", "y", *at])
    assert refused.exit_code == 1
    assert "no gallery has a sighting x" in refused.stderr
    registry(ledger_at(ledger_url)).handle([matches(sighting("a"))])
    refused = RUN.invoke(app, ["individuals", "same", "a", "y", *at])
    assert refused.exit_code == 1
    assert "no sighting y" in refused.stderr


def test_the_same_operation_twice_changes_nothing(ledger_url: str) -> None:
    at = ["--ledger-url", ledger_url, "--id", "one"]
    ledger = ledger_at(ledger_url)
    for number, name in enumerate("ab"):
        registry(ledger).handle([matches(sighting(name), watermark=number)])
    for _ in range(2):
        assert RUN.invoke(app, ["individuals", "different", "a", "b", *at]).exit_code == 0
    assert ledger.count(GALLERY, "entries") == 3


def test_without_a_question_nothing_is_open(ledger_url: str) -> None:
    at = ["--ledger-url", ledger_url]
    registry(ledger_at(ledger_url)).handle([matches(sighting("a"))])
    assert "no open questions" in RUN.invoke(app, ["individuals", "questions", *at]).stdout
    shown = RUN.invoke(app, ["individuals", "questions", "--json", *at]).stdout
    assert [json.loads(line) for line in shown.splitlines()] == []
