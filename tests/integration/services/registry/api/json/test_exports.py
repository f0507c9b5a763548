"""A gallery leaves in formats that other tools read, and rare animals' places stay secret."""

import csv
import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import frictionless
import jsonschema
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from services.registry.exports.formats import FORMATS
from services.registry.ledger.ledger import Ledger
from shared.messages import (
    OUTCOME_NEW,
    VIEWPOINT_LEFT,
    BlobReference,
    Candidate,
    Decision,
    Enrolment,
    Evidence,
    Place,
    RankedIndividual,
    Sighting,
)
from tests.support.catalogue_bench import API, Bench, bench_at
from tests.support.queries import GALLERY

PROFILE = Path(__file__).parents[5] / "support" / "samples" / "camtrap_dp"
SECRET = ("-2.33", "34.83")
PLACE = Place(latitude=-2.3333, longitude=34.8333)


def at_gate(query: Sighting) -> None:
    query.deployment, query.viewpoint, query.sequence = "gate", VIEWPOINT_LEFT, "burst-1"
    query.captured_at.FromJsonString("2026-03-01T06:00:00Z")


def later(query: Sighting) -> None:
    at_gate(query)
    query.sequence = "burst-2"
    query.captured_at.FromJsonString("2026-03-03T18:30:00Z")


@pytest.fixture
def bench(ledger_url: str, tmp_path: Path) -> Bench:
    """One animal seen twice at a gate whose place is known, another without a time."""
    bench = bench_at(ledger_url, tmp_path)
    bench.decide("a", change=at_gate)
    bench.decide("b", alike="a", change=later)
    bench.decide("=c")
    bench.ledger.keep_place("image of a", PLACE, "gate")
    bench.key("admin")
    return bench


def unzipped(client: TestClient, kind: str, **more: Any) -> dict[str, bytes]:
    answer = client.get(f"{API}/export", params={"format": kind, **more})
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_camtrap_dp_is_valid_by_the_published_profile(bench: Bench, tmp_path: Path) -> None:
    found = unzipped(bench.client(bench.key("admin")), "camtrap-dp", pictures=True)
    for name, content in found.items():
        path = tmp_path / "package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    told = json.loads(found["datapackage.json"])
    published = json.loads((PROFILE / "camtrap-dp-profile.json").read_text())
    [_, own] = published["allOf"]
    del own["properties"]["spatial"]["$ref"]  # of another server
    jsonschema.Draft4Validator({**own, "$defs": published["$defs"]}).validate(told)
    for resource in told["resources"]:
        # The published schemas, not fetched but as checked in.
        assert resource["schema"].endswith(f"1.0.2/{resource['name']}-table-schema.json")
        resource["schema"] = json.loads(
            (PROFILE / f"{resource['name']}-table-schema.json").read_text()
        )
    del told["profile"]
    package = frictionless.Package.from_descriptor(told, basepath=str(tmp_path / "package"))
    report = package.validate()
    assert report.valid, report.flatten(["title", "message"])
    observed = table(found["observations.csv"])
    assert [each["individualID"] for each in observed] == ["plains-zebra-0001"] * 2
    for each in table(found["media.csv"]):
        assert found[each["filePath"]].startswith(b"\xff\xd8")
    [gone] = table(found["left_out.csv"])
    assert gone["sighting"] == "=c"
    assert "no time" in gone["reason"]


def test_a_camera_is_placed_by_a_picture_that_is_left_out_itself(
    ledger_url: str, tmp_path: Path
) -> None:
    bench = bench_at(ledger_url, tmp_path)

    def untimed(query: Sighting) -> None:
        query.deployment = "gate"

    bench.decide("a", change=at_gate)
    bench.decide("b", change=untimed)
    bench.ledger.keep_place("image of b", PLACE, "gate")
    found = unzipped(bench.client(), "camtrap-dp")
    assert [each["mediaID"] for each in table(found["media.csv"])] == ["a"]
    assert table(found["deployments.csv"])[0]["latitude"] == "-2.3333"
    assert "datapackage.json" in found


def test_tables_hold_every_sighting_and_no_formula(bench: Bench) -> None:
    client = bench.client(bench.key("reader"))
    rows = table(unzipped(client, "csv")["metadata.csv"])
    assert [each["sighting"] for each in rows] == ["a", "b", "'=c"]
    assert rows[1]["identity"] == "plains-zebra-0001"
    assert rows[1]["date"] == "2026-03-03T18:30:00Z"
    content = unzipped(client, "parquet")["sightings.parquet"]
    again = pq.read_table(io.BytesIO(content)).to_pylist()
    assert [each["sighting"] for each in again] == ["a", "b", "=c"]
    assert again[0]["date"].isoformat() == "2026-03-01T06:00:00+00:00"


def test_coco_says_who_is_on_each_picture(bench: Bench) -> None:
    found = unzipped(bench.client(bench.key("reader")), "coco", pictures=True)
    told = json.loads(found["annotations.json"])
    pictures = {each["id"]: each["file_name"] for each in told["images"]}
    assert set(pictures.values()) == set(found) - {"annotations.json"}
    animals = {each["id"]: each["name"] for each in told["individuals"]}
    named = {
        pictures[each["image_id"]]: animals[each["individual_ids"][0]]
        for each in told["annotations"]
    }
    assert named["pictures/a.jpg"] == named["pictures/b.jpg"] == "plains-zebra-0001"


def test_wildbook_gets_an_encounter_a_row(bench: Bench) -> None:
    first = table(unzipped(bench.client(bench.key("reader")), "wildbook")["wildbook.csv"])[0]
    assert first["Encounter.mediaAsset0"] == "pictures/a.jpg"
    assert first["Encounter.individualID"] == "plains-zebra-0001"
    taken = [first[f"Encounter.{part}"] for part in ("year", "month", "day", "hour", "minutes")]
    assert taken == ["2026", "3", "1", "6", "0"]


def test_capture_histories_have_an_occasion_a_day(bench: Bench) -> None:
    client = bench.client(bench.key("admin"))
    history = unzipped(client, "mark")["histories.inp"].decode()
    assert "/* plains-zebra-0001 */ 101 1;" in history
    assert (
        "/* plains-zebra-0001 */ 11 1;"
        in unzipped(client, "mark", days=2)["histories.inp"].decode()
    )
    found = unzipped(client, "secr")
    assert b"1 plains-zebra-0001 3 gate" in found["captures.txt"]
    assert b"gate 0.0 0.0" in found["detectors.txt"]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_reader_never_gets_the_place_of_a_protected_species(bench: Bench, kind: str) -> None:
    for role in ("reader", "reviewer"):
        found = unzipped(bench.client(bench.key(role)), kind, pictures=True)
        plain = b" ".join(content for name, content in found.items() if not name.endswith(".jpg"))
        assert not any(secret.encode() in plain for secret in SECRET), role


def test_an_admin_gets_the_place_and_a_reader_the_middle_of_its_cell(bench: Bench) -> None:
    admin, reader = (
        table(unzipped(bench.client(bench.key(role)), "camtrap-dp")["deployments.csv"])[0]
        for role in ("admin", "reader")
    )
    assert (float(admin["latitude"]), admin["coordinateUncertainty"]) == (-2.3333, "")
    assert 0.01 < abs(float(reader["latitude"]) + 2.3333) < 0.25
    assert reader["coordinateUncertainty"] == "35500"


def test_a_gallery_of_nobody_is_an_empty_export(ledger_url: str, tmp_path: Path) -> None:
    bench = bench_at(ledger_url, tmp_path)
    bench.ledger.add_gallery("default/plains-zebra")
    for kind in FORMATS:
        assert unzipped(bench.client(), kind)


def test_a_name_ends_no_comment_of_a_mark_file(ledger_url: str, tmp_path: Path) -> None:
    bench = bench_at(ledger_url, tmp_path)

    def named(query: Sighting) -> None:
        at_gate(query)
        query.identity = "Nala **// 1 1; /*"

    bench.decide("a", change=named)
    history = unzipped(bench.client(), "mark")["histories.inp"].decode()
    for line in history.splitlines():
        assert line.count("*/") == 1
        assert line.index("/*") == 0
        assert line.partition("*/")[2].strip() in {"", "1 1;"}


def filled(ledger: Ledger, count: int) -> None:
    """A gallery of so many decisions with all their evidence, as large as they come."""
    evidence = Evidence(
        candidate=Candidate(sighting_id="x" * 64, crop=BlobReference(key="k" * 90)),
        reason="r" * 400,
    )
    before = ledger.count(GALLERY, "entries")
    for number in range(before, before + count):
        decision = Decision(
            gallery=GALLERY,
            sighting_id=f"s{number:06d}",
            image_sha256=f"image {number:06d}",
            deployment="gate",
            species="plains-zebra",
            outcome=OUTCOME_NEW,
            individual="+0",
            ranked=[RankedIndividual(individual="i" * 20, best=evidence)] * 20,
        )
        decision.captured_at.FromJsonString("2026-03-01T06:00:00Z")
        decision.crop.CopyFrom(BlobReference(key="k", sha256="0" * 64, size=1))
        ledger.decide(decision, Enrolment(gallery=GALLERY, sighting_id=f"s{number:06d}"), None)


@pytest.mark.parametrize("kind", ["csv", "parquet", "coco", "camtrap-dp"])
def test_an_export_takes_the_same_memory_however_many_decisions_there_are(
    ledger_url: str, tmp_path: Path, kind: str
) -> None:
    bench = bench_at(ledger_url, tmp_path)
    peaks = []
    for more in (600, 1800):
        filled(bench.ledger, more)
        client = bench.client()
        tracemalloc.start()
        try:
            with client.stream("GET", f"{API}/export", params={"format": kind}) as answer:
                assert answer.status_code == 200
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5 + 2_000_000
