"""Every route of the API and of the pages, asked by every role, bound and unbound."""

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.registry.api.access.keys import ROLES, Role
from services.registry.api.access.rights import RIGHTS, Rights
from services.registry.api.application import ROUTERS
from services.registry.api.settings import ApiSettings
from tests.support.catalogue_bench import Bench, bench_at
from tests.support.queries import GALLERY

OTHER = "default/lion"
_API = "/api/v1/galleries/{population}/{species}"

# The least role, and whether a key that is bound to other galleries gets in: 'gallery' says that
# it does not, 'own' that it sees what is its own, 'all' that no bound key gets in. Written by hand,
# so that a slip in the code's own table shows.
EXPECTED: dict[str, tuple[Role, str]] = {
    "GET /api/v1/galleries": ("reader", "own"),
    f"GET {_API}": ("reader", "gallery"),
    f"GET {_API}/individuals": ("reader", "gallery"),
    f"GET {_API}/individuals/{{individual}}": ("reader", "gallery"),
    f"GET {_API}/sightings": ("reader", "gallery"),
    f"GET {_API}/sightings/{{sighting}}": ("reader", "gallery"),
    f"GET {_API}/sightings/{{sighting}}/crop": ("reader", "gallery"),
    f"GET {_API}/questions": ("reader", "gallery"),
    f"GET {_API}/entries": ("reader", "gallery"),
    f"GET {_API}/entries/{{number}}": ("reader", "gallery"),
    f"GET {_API}/pairs/{{one}}/{{other}}/matches": ("reader", "gallery"),
    f"GET {_API}/export": ("reader", "gallery"),
    f"POST {_API}/search": ("reader", "gallery"),
    f"POST {_API}/operations": ("reviewer", "gallery"),
    "GET /api/v1/imports": ("reviewer", "own"),
    "POST /api/v1/imports": ("reviewer", "own"),
    "GET /api/v1/imports/{identifier}": ("reviewer", "own"),
    "DELETE /api/v1/imports/{identifier}": ("reviewer", "own"),
    "POST /api/v1/imports/{identifier}/enrol": ("reviewer", "own"),
    "GET /api/v1/imports/{identifier}/left-out.csv": ("reviewer", "own"),
    "GET /api/v1/alerts": ("reader", "own"),
    "GET /api/v1/alerts/rules": ("reader", "own"),
    "POST /api/v1/alerts/rules": ("admin", "own"),
    "DELETE /api/v1/alerts/rules/{identifier}": ("admin", "own"),
    "POST /api/v1/alerts/{identifier}/again": ("admin", "own"),
    "GET /api/v1/keys": ("admin", "own"),
    "POST /api/v1/keys": ("admin", "own"),
    "DELETE /api/v1/keys/{identifier}": ("admin", "own"),
    "GET /api/v1/audit": ("admin", "all"),
    "GET /api/v1/places": ("admin", "all"),
    "PUT /api/v1/places/{species}": ("admin", "all"),
    "DELETE /api/v1/places/{species}": ("admin", "all"),
}
# It never ends; its own tests are in test_api_access.py.
STREAM = "GET /api/v1/live"
PARTS = {"individual": "plains-zebra-0001", "sighting": "a", "one": "a", "other": "b"}


@pytest.fixture
def bench(ledger_url: str, tmp_path: Path) -> Bench:
    bench = bench_at(ledger_url, tmp_path, ApiSettings(requests_per_minute=10**6))
    bench.decide("a")
    bench.decide("b")
    bench.decide("x", gallery=OTHER)
    return bench


def operations(client: TestClient) -> list[str]:
    """All of the OpenAPI, as 'GET /path'."""
    paths: dict[str, Any] = client.get("/api/v1/openapi.json").json()["paths"]
    return [
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method in methods
        if f"{method.upper()} {path}" != STREAM
    ]


def asked(client: TestClient, operation: str) -> tuple[int, str]:
    method, path = operation.split(" ", 1)
    filled = path.replace("{population}/{species}", GALLERY)
    filled = re.sub(r"{(\w+)}", lambda part: PARTS.get(part[1], "1"), filled)
    answer = client.request(method, filled)
    return answer.status_code, answer.text


def test_every_operation_is_refused_to_who_may_not_call_it(bench: Bench) -> None:
    bench.key("admin")
    found = operations(bench.client())
    assert set(found) == set(EXPECTED), "say here who may call what is new"
    assert asked(bench.client(), "GET /api/v1/live")[0] == 401
    clients = {
        (role, bound): bench.client(bench.key(role, *galleries))
        for role in ROLES
        for bound, galleries in (("no", ()), ("here", (GALLERY,)), ("elsewhere", (OTHER,)))
    }
    for operation in found:
        least, reach = EXPECTED[operation]
        assert asked(bench.client(), operation)[0] == 401, operation
        for (role, bound), client in clients.items():
            status, told = asked(client, operation)
            who = f"{operation} by a {role}, bound: {bound}: {status} {told[:200]}"
            if reach == "gallery" and bound == "elsewhere":
                assert status == 404, who
                assert "that your key may see" in told, who
            elif ROLES.index(role) < ROLES.index(least) or (reach == "all" and bound != "no"):
                assert status == 403, who
            else:
                assert status not in {401, 403, 405, 500}, who


def test_every_route_stands_in_the_table_and_the_table_has_no_other() -> None:
    rights, there = Rights(), set()
    for router in ROUTERS:
        for route in router.routes:
            for method in route.methods:
                found = rights.requested(method, route.path)
                assert found is not None, f"{method} {route.path} has no right"
                assert found.right.path == route.path
                there.add((method, route.path))
    mounted = {("GET", "/static/{path:path}"), ("GET", "/api/v1/openapi.json")}
    assert {(each.method, each.path) for each in RIGHTS} == there | mounted


@pytest.mark.parametrize(
    "path", ["/audit", "/places", "/letters", "/alerts", "/imports", f"/g/{GALLERY}"]
)
def test_pages_ask_a_browser_without_a_session_to_sign_in(bench: Bench, path: str) -> None:
    bench.key("admin")
    answer = bench.client().get(path, headers={"Accept": "text/html"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?to={path}")


def test_a_method_that_a_path_has_not_is_named(bench: Bench) -> None:
    answer = bench.client().delete("/api/v1/galleries")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_the_files_of_pages_need_no_key(bench: Bench) -> None:
    bench.key("admin")
    assert bench.client().get("/static/resight.css").status_code == 200
