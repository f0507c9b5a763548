"""Who gets in, and how far."""

import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from services.registry.api.access import KEYS, AccessError
from services.registry.api.settings import ApiSettings
from shared.messages import Place
from tests.catalogue_bench import API, Bench, bench_at
from tests.queries import GALLERY

OTHER = "default/lion"
FILLED = {
    "population": "default",
    "species": "plains-zebra",
    "individual": "plains-zebra-0001",
    "number": "1",
    "other": "b",
}
SAME = {"id": "1", "kind": "same", "one": "a", "other": "b"}


@pytest.fixture
def bench(ledger_url: str, tmp_path: Path) -> Bench:
    bench = bench_at(ledger_url, tmp_path, ApiSettings(failed_logins=3))
    bench.decide("a")
    bench.decide("b")
    bench.decide("x", gallery=OTHER)
    return bench


def test_without_keys_only_this_machine_gets_in(bench: Bench) -> None:
    assert bench.client().post(f"{API}/operations", json=SAME).status_code == 201
    assert bench.client(address="10.0.0.7").get("/api/v1/galleries").status_code == 401
    rebound = bench.client().get("/api/v1/galleries", headers={"Host": "evil.example:8080"})
    assert rebound.status_code == 401


def test_from_the_first_key_on_everybody_needs_one(bench: Bench) -> None:
    key = bench.key("admin")
    assert bench.client().get("/api/v1/galleries").status_code == 401
    assert bench.client(key).get("/api/v1/galleries").status_code == 200
    assert bench.client(key, address="10.0.0.7").get("/api/v1/galleries").status_code == 200
    wrong = bench.client(key[:-1] + ("a" if key[-1] != "a" else "b"))
    answer = wrong.get("/api/v1/galleries")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_the_first_key_is_an_admins(bench: Bench) -> None:
    with pytest.raises(AccessError, match="admin"):
        bench.key("reader")


def test_a_reader_writes_nothing(bench: Bench) -> None:
    bench.key("admin")
    client = bench.client(bench.key("reader"))
    writing = [
        (method, path)
        for path, methods in client.get("/api/v1/openapi.json").json()["paths"].items()
        for method in methods
        if method not in {"get", "head"} and not path.endswith("/search")  # enrols nothing
    ]
    assert len(writing) >= 3
    for method, path in writing:
        filled = path.replace("{population}/{species}", GALLERY)
        filled = re.sub(r"{\w+}", "x", filled)
        assert client.request(method, filled, json=SAME).status_code == 403, path
    assert bench.ledger.count(GALLERY, "entries") == 2


def test_a_key_bound_to_a_gallery_sees_no_other(bench: Bench) -> None:
    bench.key("admin")
    client = bench.client(bench.key("reviewer", OTHER))
    assert [each["name"] for each in client.get("/api/v1/galleries").json()] == [OTHER]
    for path, methods in client.get("/api/v1/openapi.json").json()["paths"].items():
        if "{population}" in path:
            filled = path.replace("{population}/{species}", GALLERY)
            filled = re.sub(r"{\w+}", "1", filled)
            for method in methods:
                answer = client.request(method, filled, json=SAME)
                assert answer.status_code == 404, (method, path)


def test_no_output_of_a_reader_tells_where_a_protected_animal_lives(bench: Bench) -> None:
    bench.ledger.keep_place("image of a", Place(latitude=-2.3333, longitude=34.8333))
    bench.key("admin")
    client = bench.client(bench.key("reader"))
    paths = [
        re.sub(r"{(\w+)}", lambda part: FILLED.get(part[1], "a"), path)
        for path, methods in client.get("/api/v1/openapi.json").json()["paths"].items()
        if "get" in methods and path != "/api/v1/live"
    ]
    site = f"/g/{GALLERY}"
    paths += ["/", "/live", "/letters", site, f"{site}/questions", f"{site}/sightings/a"]
    paths += [f"{site}/individuals/plains-zebra-0001"]
    assert len(paths) > 15
    for path in paths:
        answer = client.get(path, headers={"Accept": "text/html"})
        content = answer.content
        if answer.headers["content-type"] == "application/zip":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = b" ".join(archive.read(name) for name in archive.namelist())
        assert not any(secret in content for secret in (b"2.333", b"34.833")), path


def test_keys_are_kept_by_their_digest_alone(bench: Bench) -> None:
    key = bench.key("admin")
    kept = b" ".join(bench.ledger.store.run("HVALS", KEYS))
    assert key.rpartition("_")[2].encode() not in kept
    assert b"digest" in kept


def test_an_admin_makes_lists_and_removes_keys(bench: Bench) -> None:
    admin = bench.client(bench.key("admin"))
    new = {"name": "ada", "role": "reviewer", "galleries": [GALLERY]}
    key = admin.post("/api/v1/keys", json=new).json()["key"]
    ada = bench.client(key)
    assert ada.get("/api/v1/galleries").status_code == 200
    assert ada.get("/api/v1/keys").status_code == 403
    [_, listed] = admin.get("/api/v1/keys").json()
    assert {name: listed[name] for name in new} == new
    assert admin.delete(f"/api/v1/keys/{listed['id']}").status_code == 204
    assert ada.get("/api/v1/galleries").status_code == 401
    assert admin.delete(f"/api/v1/keys/{listed['id']}").status_code == 409


def test_the_last_admin_key_stays_while_there_are_others(bench: Bench) -> None:
    bench.key("admin")
    bench.key("reader")
    [admin, reader] = bench.desk.access.made()
    with pytest.raises(AccessError, match="last admin"):
        bench.desk.access.remove(admin.id)
    bench.desk.access.remove(reader.id)
    bench.desk.access.remove(admin.id)
    assert not bench.desk.access.any()


def test_after_wrong_keys_an_address_waits(bench: Bench) -> None:
    key = bench.key("admin")
    for _ in range(3):
        assert bench.client("resight_0_0").get("/api/v1/galleries").status_code == 401
    assert bench.client(key).get("/api/v1/galleries").status_code == 429
    assert bench.client(key, address="10.0.0.7").get("/api/v1/galleries").status_code == 200


def test_the_registrys_image_makes_the_first_key(bench: Bench, ledger_url: str) -> None:
    command = [sys.executable, "-m", "services.registry.api.first_key", "ada"]
    environment = {**os.environ, "RESIGHT_LEDGER_URL": ledger_url}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert bench.client(done.stdout.strip()).get("/api/v1/keys").json()[0]["name"] == "ada"
