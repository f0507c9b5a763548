"""A catalogue is brought, read, and agreed to or not; that it is enrolled, test_import.py shows."""

import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.registry.api.settings import ApiSettings
from services.registry.imports import importer
from shared.errors import Transient
from tests.support.catalogue_bench import Bench, bench_at, packed
from tests.support.samples.pictures import photograph
from tests.support.waiting import wait_until

IMPORTS = "/api/v1/imports"


@pytest.fixture
def bench(ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Temporary files in a folder of their own."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(importer, "POLL_SECONDS", 0.05)
    bench = bench_at(ledger_url, tmp_path, ApiSettings(max_catalogue_bytes=200_000))
    yield bench
    bench.context.closing.set()
    wait_until(lambda: not held(tmp_path)())


LIONS = packed(Nala__1=photograph(seed=1), Nala__2=photograph(seed=2), Simba__1=b"no picture")


def bring(client: TestClient, archive: bytes, **said: str) -> Any:
    return client.post(IMPORTS, files={"catalogue": ("lions.zip", archive)}, data=said)


def reached(client: TestClient, begun: Any, state: str) -> Any:
    """Return an import once it is in a state."""
    path = f"{IMPORTS}/{begun['id']}"
    wait_until(lambda: client.get(path).json()["state"] == state)
    return client.get(path).json()


def held(tmp_path: Path) -> Callable[[], bool]:
    return lambda: any((tmp_path / "temporary").glob("catalogue-*"))


def test_a_catalogue_is_read_and_nothing_is_enrolled_unless_it_is_agreed_to(
    bench: Bench, tmp_path: Path
) -> None:
    client = bench.client()
    begun = bring(client, LIONS, species="lion")
    assert begun.status_code == 201, begun.text
    told = reached(client, begun.json(), "planned")
    assert told["galleries"] == [{"gallery": "default/lion", "sightings": 2, "individuals": 1}]
    assert (told["file"], told["actor"], told["left_out"]) == ("lions.zip", "local", 1)
    report = client.get(f"{IMPORTS}/{told['id']}/left-out.csv").text
    assert report.splitlines() == ["where,reason", "Simba/1.jpg,it is not a picture"]
    assert held(tmp_path)()
    assert client.delete(f"{IMPORTS}/{told['id']}").status_code == 204
    assert client.get(f"{IMPORTS}/{told['id']}").json()["state"] == "given up"
    wait_until(lambda: not held(tmp_path)())
    assert client.post(f"{IMPORTS}/{told['id']}/enrol").status_code == 409
    assert client.get(IMPORTS).json()[0]["id"] == told["id"]
    assert bench.ledger.count("default/lion", "entries") == 0


@pytest.mark.parametrize(
    ("archive", "said"),
    [
        (b"no zip", "lions.zip is not a valid ZIP"),
        (packed(a=b" " * 600_000)[:300], "not a valid ZIP"),
        (packed(**{f"a__{number}": b" " * 150_000 for number in range(3)}), ""),
    ],
)
def test_what_is_no_catalogue_is_refused_and_nothing_of_it_stays(
    bench: Bench, tmp_path: Path, archive: bytes, said: str
) -> None:
    answer = bring(bench.client(), archive)
    assert (answer.status_code, said in answer.text) == (422 if said else 413, True), answer.text
    assert not held(tmp_path)()
    assert bench.client().get(IMPORTS).json() == []


def test_a_catalogue_without_names_or_species_fails_with_the_reason(bench: Bench) -> None:
    client = bench.client()
    nameless = bring(client, packed(a=photograph())).json()
    assert "none of its animals has a name" in reached(client, nameless, "failed")["wrong"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as table:
        table.writestr("metadata.csv", "nothing,here\n1,2\n")
    told = reached(client, bring(client, archive.getvalue()).json(), "failed")["wrong"]
    assert "metadata.csv" in told
    assert "temporary" not in told


@pytest.mark.parametrize("way", ["../outside.jpg", "absolute"])
def test_a_catalogue_s_pictures_are_those_in_its_zip_and_no_other_files(
    bench: Bench, tmp_path: Path, way: str
) -> None:
    """Or a picture of a gallery that the key does not see would become one of its own."""
    for folder in (tmp_path, tmp_path / "temporary"):
        (folder / "outside.jpg").write_bytes(photograph())
    path = str(tmp_path / "outside.jpg") if way == "absolute" else way
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as table:
        table.writestr("metadata.csv", f"path,identity,species\n{path},Nala,lion\n")
    client = bench.client()
    told = reached(client, bring(client, archive.getvalue()).json(), "failed")
    assert told["left_out"] == 1
    report = client.get(f"{IMPORTS}/{told['id']}/left-out.csv").text
    assert "it is outside the catalogue" in report


def test_a_key_brings_animals_of_its_galleries_only(bench: Bench) -> None:
    bench.key("admin")
    bound = bench.client(bench.key("reviewer", "default/zebra"))
    told = reached(bound, bring(bound, LIONS, species="lion").json(), "failed")
    assert "default/lion" in told["wrong"]
    planned = reached(bound, bring(bound, LIONS, species="zebra").json(), "planned")
    other = bench.client(bench.key("reader"))
    assert other.get(IMPORTS).status_code == 403
    stranger = bench.client(bench.context.access.add("eve", "reviewer", ["default/cat"]))
    assert stranger.get(f"{IMPORTS}/{planned['id']}").status_code == 404
    assert stranger.get(IMPORTS).json() == []


def test_nobody_without_a_key_is_listened_to(bench: Bench, tmp_path: Path) -> None:
    """The body is large, and must not land on the disk."""
    bench.key("admin")
    read = 0

    def body() -> Any:
        nonlocal read
        for _ in range(100):
            read += 1
            yield b" " * 1000

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert bench.client().post(IMPORTS, content=body(), headers=kind).status_code == 401
    assert not held(tmp_path)()


def test_no_file_s_name_is_a_formula_in_the_report(bench: Bench) -> None:
    client = bench.client()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("=1+1.jpg", b"no picture")
    told = reached(client, bring(client, archive.getvalue()).json(), "failed")
    report = client.get(f"{IMPORTS}/{told['id']}/left-out.csv").text
    assert "\n'=1+1.jpg," in report.replace("\r", "")


def test_a_server_holds_two_catalogues_at_once(bench: Bench) -> None:
    client = bench.client()
    first = bring(client, LIONS, species="lion").json()
    bring(client, LIONS, species="lion")
    refused = bring(client, LIONS, species="lion")
    assert (refused.status_code, "imports already" in refused.text) == (409, True)
    reached(client, first, "planned")
    client.delete(f"{IMPORTS}/{first['id']}")
    wait_until(lambda: bring(client, LIONS, species="lion").status_code == 201)


def test_an_import_whose_server_is_gone_is_said_to_be_lost(bench: Bench) -> None:
    client = bench.client()
    told = reached(client, bring(client, LIONS, species="lion").json(), "planned")
    bench.context.closing.set()
    bench.ledger.store.run("DEL", f"resight:import:{told['id']}:alive")
    assert "upload the catalogue again" in reached(client, told, "lost")["wrong"]


def test_what_a_killed_server_left_is_swept_away_and_what_another_works_at_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    folders = {
        owner: tmp_path / f"catalogue-{pid}-x"
        for owner, pid in (("dead", dead), ("mine", os.getpid()), ("another", os.getppid()))
    }
    for folder in folders.values():
        (folder / "lions").mkdir(parents=True)
    importer.sweep()
    assert [owner for owner, folder in folders.items() if folder.exists()] == ["another"]


def test_a_broker_that_is_away_fails_an_import_with_its_name(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise Transient("no broker answers at broker:9092")

    monkeypatch.setattr(importer, "publish_and_follow", away)
    client = bench.client()
    told = reached(client, bring(client, LIONS, species="lion").json(), "planned")
    agreed = client.post(f"{IMPORTS}/{told['id']}/enrol")
    assert agreed.status_code == 202
    assert agreed.json()["state"] in {"enrolling", "failed"}  # at once, and not still planned
    assert "broker:9092" in reached(client, told, "failed")["wrong"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metadata.csv", b"picture,who\n1.jpg,Nala\n"),
        ("lions/metadata.csv", b"picture,who\n1.jpg,Nala\n"),
        ("datapackage.json", b"{}"),
        ("lions/deep/datapackage.json", b"[1]"),
    ],
)
def test_no_error_tells_a_path_of_the_server(bench: Bench, name: str, content: bytes) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr(name, content)
    client = bench.client()
    answer = bring(client, target.getvalue(), species="lion")
    told = answer.text
    if answer.status_code == 201:
        where = f"{IMPORTS}/{answer.json()['id']}"
        wait_until(lambda: client.get(where).json()["state"] != "reading")
        told += client.get(where).text + client.get(f"{where}/left-out.csv").text
    assert tempfile.gettempdir() not in told
    assert "catalogue-" not in told
