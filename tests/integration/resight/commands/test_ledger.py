"""`resight ledger verify`: a sound ledger is said to be sound, and a fault is named."""

import json

import redis
from typer.testing import CliRunner

from resight.main import app
from tests.support.queries import GALLERY, ledger_at, matches, registry, sighting

RUN = CliRunner()


def test_a_sound_ledger_is_said_to_be_sound(ledger_url: str) -> None:
    at = ["--ledger-url", ledger_url]
    assert "no galleries yet" in RUN.invoke(app, ["ledger", "verify", *at]).stdout
    registry(ledger_at(ledger_url)).handle([matches(sighting("a"))])
    verified = RUN.invoke(app, ["ledger", "verify", *at])
    assert verified.exit_code == 0, verified.output
    assert f"{GALLERY}: sound, entries: 1" in verified.stdout


def test_a_fault_is_named_and_ends_with_status_1(ledger_url: str) -> None:
    registry(ledger_at(ledger_url)).handle([matches(sighting("a"))])
    with redis.Redis.from_url(ledger_url) as client:
        client.hset(f"resight:{{{GALLERY}}}:members", "a", "somebody else")
    verified = RUN.invoke(app, ["ledger", "verify", "--ledger-url", ledger_url])
    assert verified.exit_code == 1
    assert "sighting a is plains-zebra-0001; the members say somebody else" in " ".join(
        verified.stdout.split()
    )
    as_json = RUN.invoke(app, ["ledger", "verify", "--json", "--ledger-url", ledger_url])
    assert as_json.exit_code == 1
    assert len(json.loads(as_json.stdout)["faults"]) >= 1
