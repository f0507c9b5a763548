"""What a reader gets to see: galleries, individuals, sightings, questions, entries, crops."""

import io
from pathlib import Path

import pytest
from PIL import Image

from shared.messages import VIEWPOINT_LEFT, Sighting
from tests.support.catalogue_bench import API, Bench, bench_at
from tests.support.queries import GALLERY


def at_gate(query: Sighting) -> None:
    query.deployment, query.viewpoint = "gate", VIEWPOINT_LEFT
    query.captured_at.FromJsonString("2026-03-01T06:00:00Z")


@pytest.fixture
def bench(ledger_url: str, tmp_path: Path) -> Bench:
    """Two zebras, a with 2 sightings and c with 1; d may be either."""
    bench = bench_at(ledger_url, tmp_path)
    bench.decide("a")
    bench.decide("b", alike="a", change=at_gate)
    bench.decide("c")
    bench.decide("d", perhaps="c")
    return bench


def test_a_gallery_tells_how_much_there_is(bench: Bench) -> None:
    [gallery] = bench.client().get("/api/v1/galleries").json()
    assert gallery["name"] == GALLERY
    assert [gallery[name] for name in ("individuals", "sightings", "questions", "entries")] == [
        *(3, 4, 1, 4)
    ]
    assert gallery["known_from"] > gallery["new_below"]


def test_individuals_are_sorted_filtered_and_paged(bench: Bench) -> None:
    client = bench.client()
    first = client.get(f"{API}/individuals", params={"sort": "-sightings", "limit": 2}).json()
    assert (first["total"], first["next"]) == (3, 2)
    assert [each["sightings"] for each in first["items"]] == [2, 1]
    rest = client.get(f"{API}/individuals", params={"sort": "-sightings", "offset": 2}).json()
    assert (len(rest["items"]), rest["next"]) == (1, None)
    for chosen, count in (
        ({"status": "tentative"}, 2),
        ({"deployment": "gate"}, 1),
        ({"viewpoint": "left"}, 1),
        ({"contains": "0001"}, 1),
    ):
        found = client.get(f"{API}/individuals", params=chosen).json()
        assert found["total"] == count, chosen


def test_an_individual_tells_when_and_where_it_was_seen(bench: Bench) -> None:
    found = bench.client().get(f"{API}/individuals/plains-zebra-0001").json()
    assert found["first_seen"] == "2026-03-01T06:00:00Z"  # taken then; the other one has no time
    assert found["deployments"] == {"gate": 1, "waterhole": 1}
    assert found["viewpoints"] == {"left": 1, "unknown": 1}
    assert found["status"] == "confirmed"


def test_a_picture_without_a_time_was_not_taken_on_the_day_of_its_decision(bench: Bench) -> None:
    client = bench.client()
    found = client.get(f"{API}/individuals/plains-zebra-0002").json()
    assert (found["first_seen"], found["last_seen"]) == (None, None)
    for sort in ("first_seen", "-first_seen", "last_seen", "-last_seen"):
        [first, *_] = client.get(f"{API}/individuals", params={"sort": sort}).json()["items"]
        assert first["id"] == "plains-zebra-0001", sort


def test_individuals_that_may_be_one_follow_each_other(bench: Bench) -> None:
    client = bench.client()
    for name in "wxyz":
        bench.decide(name, perhaps={"w": "a", "x": "c", "y": "", "z": "y"}[name])
    items = client.get(f"{API}/individuals", params={"sort": "likeness"}).json()["items"]
    places = {each["cover"]: place for place, each in enumerate(items)}
    for one, other in (("z", "y"), ("c", "x")):
        assert abs(places[one] - places[other]) == 1


def test_what_is_decided_meanwhile_is_there_at_the_next_look(bench: Bench) -> None:
    client = bench.client()
    assert client.get(f"{API}/sightings").json()["total"] == 4
    bench.decide("e", alike="c")
    shown = client.get(f"{API}/sightings").json()
    assert (shown["total"], shown["items"][0]["id"]) == (5, "e")
    assert client.get(f"{API}/individuals/plains-zebra-0002").json()["sightings"] == 2


def test_sightings_are_filtered(bench: Bench) -> None:
    client = bench.client()
    for chosen, names in (
        ({"individual": "plains-zebra-0001"}, ["b", "a"]),
        ({"outcome": "known"}, ["b"]),
        ({"deployment": "gate"}, ["b"]),
        ({"viewpoint": "left"}, ["b"]),
    ):
        found = client.get(f"{API}/sightings", params=chosen).json()
        assert [each["id"] for each in found["items"]] == names, chosen


def test_a_question_names_two_sightings_and_what_an_answer_is_worth(bench: Bench) -> None:
    [asked] = bench.client().get(f"{API}/questions").json()["items"]
    assert {asked["sighting_of_one"], asked["sighting_of_other"]} == {"c", "d"}
    assert asked["pairs"] == 1
    assert 0.3 < asked["probability"] < 0.7


def test_entries_tell_what_a_decision_weighed(bench: Bench) -> None:
    client = bench.client()
    found = client.get(f"{API}/entries", params={"after": 1, "limit": 2}).json()
    assert ([each["number"] for each in found["items"]], found["next"]) == ([2, 3], 3)
    entry = client.get(f"{API}/entries/2").json()
    assert (entry["kind"], entry["outcome"], entry["sightings"]) == ("decision", "known", ["b"])
    assert entry["ranked"][0]["sighting"] == "a"
    assert entry["ranked"][0]["matches"] == 60


@pytest.mark.parametrize(("size", "longer"), [("160", 160), ("full", 320)])
def test_a_crop_comes_in_the_size_that_is_asked_for(bench: Bench, size: str, longer: int) -> None:
    answer = bench.client().get(f"{API}/sightings/a/crop", params={"size": size})
    assert answer.headers["content-type"] == "image/jpeg"
    assert "immutable" in answer.headers["cache-control"]
    assert max(Image.open(io.BytesIO(answer.content)).size) == longer


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/api/v1/galleries/default/lion", "no gallery default/lion"),
        (f"{API}/individuals/lion-0001", "no individual lion-0001"),
        (f"{API}/sightings/z", "no sighting z"),
        (f"{API}/sightings/z/crop", "no sighting z"),
        (f"{API}/entries/99", "no entry 99"),
    ],
)
def test_what_is_not_there_is_said_in_one_form(bench: Bench, path: str, text: str) -> None:
    answer = bench.client().get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert text in answer.json()["detail"]


def test_a_crop_that_is_gone_is_no_crash(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "crops" / "crops" / "a.jpg").unlink()
    answer = bench.client().get(f"{API}/sightings/a/crop")
    assert answer.status_code == 404
    assert "can't be read" in answer.json()["detail"]
