"""Who gets in, and how far."""

import io
import os
import re
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from services.registry.api.access.keys import KEYS, AccessError
from services.registry.api.settings import ApiSettings
from shared.messages import Place
from tests.support.catalogue_bench import API, Bench, bench_at
from tests.support.queries import GALLERY

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
    bench.ledger.keep_place("image of a", Place(latitude=-2.3333, longitude=34.8333), "gate")
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
    [admin, reader] = bench.context.access.made()
    with pytest.raises(AccessError, match="last admin"):
        bench.context.access.remove(admin.id)
    bench.context.access.remove(reader.id)
    bench.context.access.remove(admin.id)
    assert bench.context.access.made() == []


def test_a_ledger_that_ever_had_a_key_is_never_open_again(bench: Bench) -> None:
    bench.key("admin")
    [admin] = bench.context.access.made()
    bench.context.access.remove(admin.id)
    assert bench.client().get("/api/v1/galleries").status_code == 401
    assert bench.client(bench.key("admin")).get("/api/v1/galleries").status_code == 200


def test_wrong_keys_wait_and_the_right_one_gets_in_at_any_time(bench: Bench) -> None:
    key = bench.key("admin")
    prefix = key.rpartition("_")[0]

    def asked(token: str, address: str = "127.0.0.1") -> int:
        return bench.client(token, address).get("/api/v1/galleries").status_code

    assert [asked("resight_0_0") for _ in range(4)] == [401, 401, 401, 429]
    assert asked(f"{prefix}_wrong") == 401  # each key has a count of its own
    assert [asked(f"{prefix}_wrong") for _ in range(3)] == [401, 401, 429]
    assert asked(f"{prefix}_wrong", "10.0.0.7") == 401
    assert asked(key) == 200
    form = bench.client().post("/sign-in", data={"key": key}, follow_redirects=False)
    assert form.status_code == 303


def test_a_session_with_another_authorization_is_checked_for_its_origin(bench: Bench) -> None:
    browser = bench.client()
    browser.post("/sign-in", data={"key": bench.key("admin")})
    cross = {"Origin": "https://evil.example", "Authorization": "Basic eDp5"}
    assert browser.post(f"{API}/operations", json=SAME, headers=cross).status_code == 403


def test_no_redirect_tells_of_the_host_that_was_asked_for(bench: Bench) -> None:
    answer = bench.client().get(
        "/api/v1/galleries/", headers={"Host": "evil.example"}, follow_redirects=False
    )
    assert answer.status_code in {401, 404}
    assert "evil.example" not in str(answer.headers)


def test_proxies_are_believed_only_where_they_are_named() -> None:
    assert ApiSettings().proxies == ""


def test_a_bound_admin_stays_within_its_galleries(bench: Bench) -> None:
    everybodys = bench.client(bench.key("admin"))
    bench.context.access.add("ada", "reviewer", [OTHER])
    bound = bench.client(bench.key("admin", GALLERY))
    new = {"name": "eve", "role": "admin"}
    for galleries in ([], [OTHER], [GALLERY, OTHER]):
        answer = bound.post("/api/v1/keys", json=new | {"galleries": galleries})
        assert (answer.status_code, "bound to" in answer.json()["detail"]) == (409, True)
    taken = {"name": "Ada", "role": "reviewer", "galleries": [GALLERY]}
    assert bound.post("/api/v1/keys", json=taken).status_code == 409
    assert bound.post("/api/v1/keys", json=new | {"galleries": [GALLERY]}).status_code == 201
    listed = bound.get("/api/v1/keys").json()
    assert [each["galleries"] for each in listed] == [[GALLERY], [GALLERY]]
    for key in everybodys.get("/api/v1/keys").json():
        theirs = key["galleries"] == [GALLERY]
        if not theirs:
            assert bound.delete(f"/api/v1/keys/{key['id']}").status_code == 409
    rule = {"name": "r", "gallery": OTHER, "kind": "new", "url": "https://hook.example/x?token=s"}
    made = everybodys.post("/api/v1/alerts/rules", json=rule).json()
    assert bound.delete(f"/api/v1/alerts/rules/{made['id']}").status_code == 409
    assert "no rule" in bound.post("/alerts", data={"remove": made["id"]}).text
    assert len(everybodys.get("/api/v1/alerts/rules").json()) == 1
    for path in ("/letters", "/audit", "/api/v1/audit"):
        assert bound.get(path).status_code == 403


@pytest.mark.parametrize("name", ["registry", "Catalogue", "import: ada", "local"])
def test_no_key_is_called_as_the_ledger_calls_itself(bench: Bench, name: str) -> None:
    with pytest.raises(AccessError, match="is reserved"):
        bench.context.access.add(name, "admin")


def test_webhooks_addresses_are_told_without_their_tokens(bench: Bench) -> None:
    admin, url = bench.client(bench.key("admin")), "https://ada:pw@hook.example:8443/T0KEN?k=T0KEN"
    rule = {"name": "r", "gallery": GALLERY, "kind": "new", "url": url}
    assert admin.post("/api/v1/alerts/rules", json=rule).status_code == 201
    for path in ("/alerts", "/api/v1/alerts/rules", "/api/v1/audit"):
        text = admin.get(path).text
        assert "T0KEN" not in text
        assert "pw@" not in text
    assert "https://hook.example:8443/…" in admin.get("/alerts").text


def test_the_audit_log_tells_who_did_what_without_secrets(bench: Bench) -> None:
    key = bench.key("admin")
    admin, browser = bench.client(key), bench.client()
    browser.post("/sign-in", data={"key": key})
    bench.client("resight_0_wrong").get("/api/v1/galleries")
    made = admin.post("/api/v1/keys", json={"name": "ada", "role": "reader"}).json()["key"]
    admin.get(f"{API}/export")
    assert bench.client(made).post("/api/v1/keys", json={}).status_code == 403
    [identifier] = [each.id for each in bench.context.access.made() if each.name == "ada"]
    admin.delete(f"/api/v1/keys/{identifier}")
    told = admin.get("/api/v1/audit").json()
    assert [each["act"] for each in told] == ["remove a key", "export", "make a key", "sign in"]
    assert all(each["who"] == "admin" and each["address"] == "127.0.0.1" for each in told)
    assert told[2]["about"] == "ada, reader of all galleries"
    refused = admin.get("/api/v1/audit", params={"refused": True}).json()
    assert [(each["act"], each["who"]) for each in refused] == [
        ("make a key", "ada"),
        ("wrong key", ""),
    ]
    everything = admin.get("/api/v1/audit").text + admin.get("/audit").text
    for secret in (key, made):
        assert secret.split("_", 2)[2] not in everything  # its secret may contain "_"


def test_a_stream_ends_when_its_key_is_removed(bench: Bench) -> None:
    bench.key("admin")
    reader = bench.client(bench.key("reader"))
    [identifier] = [each.id for each in bench.context.access.made() if each.name == "reader"]
    begun = time.monotonic()
    timer = threading.Timer(0.5, bench.context.access.remove, [identifier])
    timer.start()
    assert "listening" in reader.get("/api/v1/live").text  # it returns when the stream has ended
    assert time.monotonic() - begun < 5


def test_the_registrys_image_makes_the_first_key(bench: Bench, ledger_url: str) -> None:
    command = [sys.executable, "-m", "services.registry.api.first_key", "ada"]
    environment = {**os.environ, "RESIGHT_LEDGER_URL": ledger_url}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert bench.client(done.stdout.strip()).get("/api/v1/keys").json()[0]["name"] == "ada"
