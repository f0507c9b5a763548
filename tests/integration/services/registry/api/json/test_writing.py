"""A reviewer's words reach the ledger with their name, are published, and can be taken back."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.registry.ledger.audit import check
from tests.support.catalogue_bench import API, Bench, bench_at
from tests.support.queries import GALLERY


@pytest.fixture
def bench(ledger_url: str, tmp_path: Path) -> Bench:
    bench = bench_at(ledger_url, tmp_path)
    bench.decide("a")
    bench.decide("b", alike="a")
    bench.decide("c")
    bench.decide("d", perhaps="c")
    bench.key("admin")
    return bench


def individuals(bench: Bench) -> list[list[str]]:
    return sorted(bench.ledger.individuals(GALLERY).values())


def said(client: TestClient, **what: Any) -> Any:
    answer = client.post(f"{API}/operations", json={"id": "1", **what})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_each_operation_can_be_said_and_undone(bench: Bench) -> None:
    client = bench.client(bench.key("reviewer"))
    before = individuals(bench)
    steps: list[tuple[dict[str, Any], list[list[str]]]] = [
        ({"kind": "same", "one": "c", "other": "d"}, [["a", "b"], ["c", "d"]]),
        ({"kind": "different", "one": "a", "other": "b"}, [["a"], ["b"], ["c"], ["d"]]),
        ({"kind": "merge", "sightings": ["a", "c", "d"]}, [["a", "b", "c", "d"]]),
        ({"kind": "tell_apart", "sightings": ["a", "c", "d"]}, before),
        ({"kind": "move", "sightings": ["b"]}, [["a"], ["b"], ["c"], ["d"]]),
        (
            {"kind": "move", "sightings": ["b"], "into": "plains-zebra-0002"},
            [["a"], ["b", "c"], ["d"]],
        ),
        ({"kind": "confirm", "individual": "plains-zebra-0003"}, before),
        ({"kind": "unidentifiable", "sightings": ["d"]}, [["a", "b"], ["c"]]),
    ]
    for number, (what, after) in enumerate(steps):
        entry = said(client, **what, id=f"do-{number}", reason="seen it")
        assert individuals(bench) == after, what
        assert (entry["actor"], entry["kind"], entry["reason"]) == (
            *("reviewer", what["kind"], "seen it"),
        )
        undone = said(client, kind="undo", number=entry["number"], id=f"undo-{number}")
        assert undone["undoes"] == entry["number"]
        assert individuals(bench) == before, what
    assert check(bench.ledger, GALLERY) == []


def test_what_was_said_is_announced_once_and_shown_at_once(bench: Bench) -> None:
    client = bench.client(bench.key("reviewer"))
    entry = said(client, kind="same", one="c", other="d")
    assert said(client, kind="same", one="c", other="d") == entry
    assert [each.decision.number for each in bench.announced] == [entry["number"]] * 2
    assert client.get(f"{API}/questions").json()["total"] == 0
    assert client.get(f"{API}/individuals").json()["total"] == 2


def test_what_can_t_be_is_a_conflict_with_its_reason(bench: Bench) -> None:
    client = bench.client(bench.key("reviewer"))
    for what, text in (
        ({"kind": "same", "one": "a", "other": "nobody"}, "no sighting nobody"),
        ({"kind": "undo", "number": 1}, "not made by a person"),
        ({"kind": "undo", "number": 99}, "no entry 99"),
        ({"kind": "move", "sightings": ["a"], "into": "plains-zebra-0009"}, "no individual"),
    ):
        answer = client.post(f"{API}/operations", json={"id": "x", **what})
        assert answer.status_code == 409, answer.text
        assert text in answer.json()["detail"]


@pytest.mark.parametrize(
    "what",
    [
        {"kind": "burn"},
        {"kind": "same", "one": "a"},
        {"kind": "move", "sightings": []},
        {"kind": "undo", "number": 0},
        {"kind": "same", "one": "a", "other": "b", "id": "two words"},
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(bench: Bench, what: dict[str, Any]) -> None:
    answer = bench.client(bench.key("reviewer")).post(f"{API}/operations", json={"id": "1", **what})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
