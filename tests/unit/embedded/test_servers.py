"""Starting servers: one that loads is waited for, one that is silent is not."""

import socket
import sys
import time
from pathlib import Path

import pytest
import redis

from embedded import servers
from embedded.servers import (
    FIRST_PORT,
    HOST,
    LAST_PORT,
    Server,
    free_port,
    ledger_store,
)

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_a_server_that_says_that_it_loads_is_waited_for_and_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "START_SECONDS", 0.2)
    monkeypatch.setattr(servers, "WORD_SECONDS", 0.1)
    heard: list[str] = []
    ready_at = time.monotonic() + 1
    server = Server(
        "ledger",
        SLEEPS,
        tmp_path,
        0,
        answers=lambda: time.monotonic() > ready_at,
        says=lambda: "loading, 43 %",
        report=heard.append,
    )
    process = server.start()
    process.kill()
    process.wait()
    assert "ledger: loading, 43 %" in heard


def test_a_server_that_is_silent_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "START_SECONDS", 0.2)
    with pytest.raises(RuntimeError, match="ledger did not start"):
        Server("ledger", SLEEPS, tmp_path, 0, answers=lambda: False).start()


def test_a_ledger_that_takes_its_time_to_load_says_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real Valkey that is made to load slowly: 0.5 ms a key, for 8,000 keys."""
    port = free_port()
    server = ledger_store(tmp_path, port)
    process = server.start()
    with redis.Redis(HOST, port) as client:
        with client.pipeline(transaction=False) as pipeline:
            for number in range(8000):
                pipeline.set(f"key {number}", "x" * 100)
            pipeline.execute()
        client.shutdown(nosave=True)
    process.wait()
    monkeypatch.setattr(servers, "START_SECONDS", 3.0)
    monkeypatch.setattr(servers, "WORD_SECONDS", 0.2)
    heard: list[str] = []
    slow = ["--key-load-delay", "500"]
    again = Server(
        "ledger",
        [*server.command, *slow],
        tmp_path,
        port,
        server.answers,
        server.says,
        heard.append,
    ).start()
    with redis.Redis(HOST, port) as client:
        assert client.dbsize() == 8000
    again.kill()
    again.wait()
    assert heard
    assert all("loading its data" in line for line in heard)


def test_a_free_port_is_free_given_once_and_taken_by_no_outgoing_connection() -> None:
    ports = [free_port() for _ in range(100)]
    assert len(set(ports)) == len(ports)
    assert all(FIRST_PORT <= port < LAST_PORT for port in ports)
    for port in ports[:3]:
        with socket.socket() as probe:
            probe.bind((HOST, port))


def test_a_port_that_something_listens_on_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(servers, "_PORTS", iter([port]))
        with pytest.raises(RuntimeError, match="no port from"):
            free_port()
