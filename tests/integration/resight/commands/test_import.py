"""A catalogue is imported into a running stack, exported, and imported again elsewhere."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from resight.connections import open_ledger
from resight.stack_state import running
from tests.support.samples.pictures import coat
from tests.support.servers.embedded_stack import SECONDS, Up, started

ANIMALS = {"Nala": 3, "Simba": 2, "Zira": 1}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, encoder_file: Path) -> Iterator[Up]:
    with started(tmp_path_factory.mktemp("import") / "data", encoder_file) as up:
        yield up


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each animal, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("lions")
    seed = 0
    for name, count in ANIMALS.items():
        (folder / name).mkdir()
        for number in range(count):
            (folder / name / f"{number}.jpg").write_bytes(coat(seed))
            seed += 1
    (folder / "Nala" / "notes.txt").write_text("a scar")
    return folder


def imported(up: Up, source: Path, *options: object, status: int = 0) -> Any:
    command = [sys.executable, "-m", "resight", "import", str(source), "--data-dir", str(up.folder)]
    done = subprocess.run(
        [*command, *map(str, options), "--json"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def sizes(up: Up, gallery: str) -> dict[str, int]:
    """How many sightings each of the catalogue's names stands for."""
    state = running(up.folder)
    assert state is not None
    with open_ledger(state.ledger_url) as ledger:
        members, groups = ledger.members(gallery), ledger.individuals(gallery)
        return {
            name: len(groups[members[sighting]])
            for name, sighting in ledger.labels(gallery).items()
        }


def test_a_catalogue_comes_in_goes_out_and_comes_in_again_the_same(
    up: Up, folder: Path, tmp_path: Path
) -> None:
    dry = imported(up, folder, "--species", "lion", "--dry-run", status=3)
    assert dry["galleries"] == {"default/lion": {"sightings": 6, "individuals": 3}}
    assert dry["enrolled"] == 0
    report = tmp_path / "report.csv"
    for _ in range(2):  # the second time changes nothing
        told = imported(up, folder, "--species", "lion", "--report", report, status=3)
        assert told["enrolled"] == 6
        assert [each["where"] for each in told["left_out"]] == ["Nala/notes.txt"]
        assert "not a picture" in report.read_text()
        assert sizes(up, "default/lion") == ANIMALS
    state = running(up.folder)
    assert state is not None
    with open_ledger(state.ledger_url) as ledger:
        assert ledger.count("default/lion", "entries") == 6
    for kind in ("csv", "coco", "wildbook"):
        url = f"{state.pages_url}/api/v1/galleries/default/lion/export?format={kind}&pictures=true"
        with zipfile.ZipFile(io.BytesIO(httpx.get(url).content)) as archive:
            archive.extractall(tmp_path / kind)
        again = imported(up, tmp_path / kind, "--population", kind, "--species", "lion")
        assert again["enrolled"] == 6
        assert sizes(up, f"{kind}/lion") == ANIMALS


def test_a_camtrap_dp_package_comes_in_goes_out_and_comes_in_again_the_same(
    up: Up, folder: Path, tmp_path: Path
) -> None:
    """With times, cameras and places, which Camtrap DP wants."""
    lines = ["path,identity,species,viewpoint,date,deployment,latitude,longitude"]
    lines += [
        f"{folder / name / f'{number}.jpg'},{name},hyena,left,2026-03-0{number + 1}T06:00:00Z,"
        f"gate-{number},-2.5{number},34.8{number}"
        for name, count in ANIMALS.items()
        for number in range(count)
    ]
    (tmp_path / "metadata.csv").write_text("\n".join(lines))
    assert imported(up, tmp_path)["enrolled"] == 6
    packages = []
    for population, source in (("default", "first"), ("again", "second")):
        state = running(up.folder)
        assert state is not None
        api = f"{state.pages_url}/api/v1/galleries/{population}/hyena"
        package = httpx.get(f"{api}/export?format=camtrap-dp&pictures=true").content
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            archive.extractall(tmp_path / source)
        rows = (tmp_path / source / "observations.csv").read_text().splitlines()
        names = rows[0].split(",")
        kept = ("deploymentID", "eventStart", "scientificName", "individualID", "observationTags")
        told = (dict(zip(names, row.split(","), strict=True)) for row in rows[1:])
        packages.append(sorted([row.get(name, "") for name in kept] for row in told))
        if source == "first":
            again = imported(up, tmp_path / source, "--population", "again")
            assert (again["format"], again["enrolled"]) == ("Camtrap DP", 6)
    assert packages[0] == packages[1]
    assert len(packages[0]) == 6
    first, second = (tmp_path / source / "deployments.csv" for source in ("first", "second"))
    assert "34.82" in first.read_text()
    assert first.read_text() == second.read_text()
    assert sizes(up, "again/hyena") == ANIMALS


def test_pages_and_api_show_an_animal_by_its_name(up: Up, folder: Path) -> None:
    imported(up, folder, "--species", "cat", "--as", "ada", status=3)
    state = running(up.folder)
    assert state is not None
    api = f"{state.pages_url}/api/v1/galleries/default/cat"
    [nala] = httpx.get(f"{api}/individuals", params={"contains": "nala"}).json()["items"]
    assert (nala["name"], nala["sightings"]) == ("Nala", 3)
    entries = httpx.get(f"{api}/entries").json()["items"]
    assert {each["actor"] for each in entries} == {"import: ada"}
    assert "Nala" in httpx.get(f"{state.pages_url}/g/default/cat").text


def test_somebody_asks_who_a_picture_shows_and_nothing_is_enrolled(up: Up, folder: Path) -> None:
    imported(up, folder, "--species", "wolf", status=3)
    state = running(up.folder)
    assert state is not None
    api = f"{state.pages_url}/api/v1/galleries/default/wolf"
    entries = httpx.get(api).json()["entries"]

    def asked(picture: bytes) -> Any:
        answer = httpx.post(f"{api}/search", files={"picture": picture}, timeout=SECONDS)
        assert answer.status_code == 200, answer.text
        return answer.json()

    nala = (folder / "Nala" / "0.jpg").read_bytes()
    assert asked(nala)["outcome"] == "known"  # the very picture, which is enrolled
    stranger = asked(coat(99))
    assert stranger["outcome"] != "known"
    assert {each["name"] for each in stranger["ranked"]} == set(ANIMALS)
    assert httpx.get(api).json()["entries"] == entries
    refused = httpx.post(f"{api}/search", files={"picture": b"no picture"})
    assert refused.status_code == 415
    page = httpx.post(
        f"{state.pages_url}/g/default/wolf/who", files={"picture": nala}, timeout=SECONDS
    )
    assert "Known:" in page.text
