"""What is protected is the camera's place, wherever and in whichever gallery it is told."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from services.registry.ledger.keys import CAMERAS, key
from services.registry.locations.masking import LocationMasking, read_list
from shared.errors import SettingsError
from shared.messages import Place, Sighting
from tests.support.catalogue_bench import Bench, bench_at
from tests.support.queries import GALLERY

RHINO, ZEBRA = "default/black-rhinoceros", "default/plains-zebra"
PLACE = Place(latitude=-2.3333, longitude=34.8333)


def at(deployment: str) -> Callable[[Sighting], None]:
    def change(query: Sighting) -> None:
        query.deployment = deployment
        query.captured_at.FromJsonString("2026-03-01T06:00:00Z")

    return change


@pytest.fixture
def bench(ledger_url: str, tmp_path: Path) -> Bench:
    """Zebras, whose places may be told, and a rhinoceros at one of their cameras."""
    bench = bench_at(ledger_url, tmp_path)
    bench.context = replace(
        bench.context,
        location_masking=LocationMasking(
            bench.ledger, {"black-rhinoceros": 50.0, "plains-zebra": 0.0}, 50.0
        ),
    )
    places = {"CAM-7": PLACE, "CAM-8": Place(latitude=-2.9, longitude=34.1)}
    for name, deployment in (("a", "CAM-7"), ("b", "CAM-8")):
        bench.decide(name, change=at(deployment))
        bench.ledger.keep_place(f"image of {name}", places[deployment], deployment)
    bench.key("admin")
    return bench


def rhino(bench: Bench, deployment: str = "CAM-7", gallery: str = RHINO) -> None:
    bench.decide("r", gallery=gallery, change=at(deployment))
    bench.ledger.keep_place("image of r", PLACE, deployment)


def told(bench: Bench, gallery: str, token: str = "") -> dict[str, tuple[float, float]]:
    """Where a reader's export of a gallery says that each camera stands."""
    client = bench.client(token or bench.key("reader"))
    content = client.get(f"/api/v1/galleries/{gallery}/export").content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        rows = csv.DictReader(io.StringIO(archive.read("metadata.csv").decode()))
        return {
            row["deployment"]: (float(row["latitude"]), float(row["longitude"])) for row in rows
        }


def exact(where: tuple[float, float]) -> bool:
    return where == (-2.3333, 34.8333)


def test_a_camera_is_coarse_in_every_gallery_once_it_has_seen_a_protected_species(
    bench: Bench,
) -> None:
    assert exact(told(bench, ZEBRA)["CAM-7"])
    rhino(bench)
    there = told(bench, ZEBRA)
    assert not exact(there["CAM-7"])
    assert there["CAM-7"] == told(bench, RHINO)["CAM-7"]  # one cell, or two would narrow it down
    assert there["CAM-8"] == (-2.9, 34.1)


@pytest.mark.parametrize("name", ["cam-7", "CAM 7", "CAM-7 of 2027", "gate"])
def test_so_is_the_camera_under_another_name_and_what_stands_beside_it(
    bench: Bench, name: str
) -> None:
    rhino(bench, deployment=name)
    assert not exact(told(bench, ZEBRA)["CAM-7"])


@pytest.mark.parametrize(
    "species",
    ["black-rhinoceros-calf", "blàck-rhinoceros", "black-rhinoceros", "blak-rhino", "unspecified"],
)
def test_a_species_that_is_spelt_differently_or_not_named_is_coarse(
    bench: Bench, species: str
) -> None:
    gallery = f"north/{species}"
    rhino(bench, gallery=gallery)
    assert not exact(told(bench, gallery)["CAM-7"])
    assert not exact(told(bench, ZEBRA)["CAM-7"])


def test_only_admins_who_see_what_it_saw_know_the_place(bench: Bench) -> None:
    rhino(bench)
    assert exact(told(bench, ZEBRA, bench.key("admin"))["CAM-7"])
    assert not exact(told(bench, ZEBRA, bench.key("admin", ZEBRA))["CAM-7"])
    assert not exact(told(bench, ZEBRA, bench.key("reviewer"))["CAM-7"])


def test_an_admin_says_that_places_may_be_told_and_as_what_a_species_counts(bench: Bench) -> None:
    admin = bench.client(bench.key("admin"))
    rhino(bench, gallery="default/blak-rhino")
    assert not exact(told(bench, ZEBRA)["CAM-7"])
    answer = admin.put("/api/v1/places/blak-rhino", json={"like": "plains zebra"}).json()
    assert (answer["kilometres"], answer["source"], answer["like"]) == (0, "like", "plains-zebra")
    assert exact(told(bench, ZEBRA)["CAM-7"])
    admin.put("/api/v1/places/blak-rhino", json={"kilometres": 20})
    assert not exact(told(bench, ZEBRA)["CAM-7"])
    assert admin.delete("/api/v1/places/blak-rhino").status_code == 204
    listed = {each["species"]: each for each in admin.get("/api/v1/places").json()}
    assert listed["blak-rhino"]["source"] == "unlisted"
    assert listed["plains-zebra"]["source"] == "file"
    refused = admin.put("/api/v1/places/plains-zebra", json={"kilometres": 5})
    assert (refused.status_code, "operator's list" in refused.text) == (409, True)
    for wrong in ({}, {"kilometres": 5, "like": "x"}, {"kilometres": -1}):
        assert admin.put("/api/v1/places/lion", json=wrong).status_code == 422


def test_species_that_are_said_to_be_like_each_other_stay_coarse(bench: Bench) -> None:
    said = bench.context.location_masking.said
    said.say("a", "ada", like="b")
    said.say("b", "ada", like="a")
    assert bench.context.location_masking.species("a").kilometres == 50


def test_a_species_may_be_told_beside_one_of_the_same_first_words_only_by_its_whole_name(
    bench: Bench,
) -> None:
    rules = LocationMasking(bench.ledger, {"african-wild-dog": 50, "african-wild-cat": 0}, 30.0)
    assert [rules.species(f"african-wild-{name}").kilometres for name in ("dog", "cat", "ass")] == [
        50,
        0,
        50,
    ]


def test_the_page_of_places_says_and_takes_back(bench: Bench) -> None:
    rhino(bench, gallery="default/lion")
    admin = bench.client(bench.key("admin"))
    assert "default</span>" in admin.get("/places").text
    admin.post("/places", data={"species": "lion", "kilometres": "0"})
    assert "<td>exact</td>" in admin.get("/places").text
    assert [each["about"] for each in admin.get("/api/v1/audit").json()] == ["lion: 0 km"]
    admin.post("/places", data={"species": "lion", "back": "true"})
    assert "default</span>" in admin.get("/places").text
    assert admin.post("/places", data={"species": "lion", "kilometres": "x"}).status_code == 422


def test_cameras_of_an_earlier_versions_ledger_are_known_too(bench: Bench) -> None:
    rhino(bench)
    for gallery in (RHINO, ZEBRA):
        bench.ledger.store.run("DEL", key(gallery, "deployments"))
    bench.ledger.store.run("DEL", CAMERAS)
    bench.ledger.load()
    assert not exact(told(bench, ZEBRA)["CAM-7"])
    assert not exact(told(bench, GALLERY)["CAM-7"])


@pytest.mark.parametrize("text", ["[]", '{"a": "x"}', '{"a": -1}', '{"a": 2000}', "{"])
def test_a_list_that_is_none_stops_the_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "list.json"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"list\.json"):
        read_list(file)
    file.write_text(json.dumps({"Black rhinoceros": 50}))
    assert read_list(file) == {"Black rhinoceros": 50}
