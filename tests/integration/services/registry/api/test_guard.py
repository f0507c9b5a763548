"""What is refused before any handler sees it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.servers import HOST, free_port, ledger_store
from services.registry.api.limits.bounds import Rates
from services.registry.api.settings import ApiSettings
from tests.support.catalogue_bench import API, Bench, bench_at

SAME = {"id": "1", "kind": "same", "one": "a", "other": "b"}


@pytest.fixture
def bench(ledger_url: str, tmp_path: Path) -> Bench:
    bench = bench_at(ledger_url, tmp_path, ApiSettings(max_body_bytes=2000))
    bench.decide("a")
    bench.decide("b")
    return bench


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost:9999"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:8080"}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({}, 201),
    ],
)
def test_another_sites_page_can_t_write(bench: Bench, headers: dict[str, str], status: int) -> None:
    answer = bench.client().post(f"{API}/operations", json=SAME, headers=headers)
    assert answer.status_code == status


def test_a_large_body_is_refused_with_and_without_a_length(bench: Bench) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 100

    for content in (b" " * 3000, pieces()):
        answer = bench.client().post(
            f"{API}/operations", content=content, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 413
        assert "2000" in answer.json()["detail"]


def test_every_answer_forbids_what_pages_don_t_need(bench: Bench) -> None:
    for path in ("/api/v1/galleries", "/api/v1/nothing", f"{API}/sightings/a/crop"):
        headers = bench.client().get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "public" not in headers["cache-control"]


def test_a_caller_waits_when_the_minute_is_used_up() -> None:
    now = [0.0]
    rates = Rates(60, lambda: now[0])
    assert [rates.wait("ada") for _ in range(60)] == [0] * 60
    assert rates.wait("ada") == 1
    assert rates.wait("bob") == 0
    now[0] += 1.0
    assert (rates.wait("ada"), rates.wait("ada")) == (0, 1)


def test_too_many_requests_say_when_to_come_again(ledger_url: str, tmp_path: Path) -> None:
    client = bench_at(ledger_url, tmp_path, ApiSettings(requests_per_minute=2)).client()
    answers = [client.get("/api/v1/galleries") for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) >= 1


def test_a_ledger_that_is_away_is_a_503_with_its_address(tmp_path: Path) -> None:
    server = ledger_store(tmp_path / "ledger", free_port())
    process = server.start()
    client = bench_at(f"redis://{HOST}:{server.port}/0", tmp_path).client()
    process.kill()
    process.wait()
    answer = client.get("/api/v1/galleries")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert str(server.port) in answer.json()["detail"]
