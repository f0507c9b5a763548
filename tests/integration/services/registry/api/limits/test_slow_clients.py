"""Clients that dawdle, flood or don't read cost no memory and hold nobody up."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from embedded.servers import HOST, free_port
from services.registry.api.access.keys import Access
from services.registry.api.limits.connections import HEADER_SECONDS
from tests.support.queries import ledger_at
from tests.support.servers.service_process import service_process
from tests.support.waiting import wait_until

CLIENTS = 200
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Api:
    """A real process of the API."""

    port: int
    pid: int
    key: str

    def connection(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), timeout=60)

    def resident(self) -> int:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def sign_in_seconds(self) -> float:
        begun = time.monotonic()
        answer = httpx.post(f"http://{HOST}:{self.port}/sign-in", data={"key": self.key})
        assert answer.status_code == 303
        return time.monotonic() - begun


@pytest.fixture
def api(ledger_url: str, tmp_path: Path) -> Iterator[Api]:
    key = Access(ledger_at(ledger_url).store).add("ada", "admin")
    port = free_port()
    with service_process(
        "services.registry.api",
        {
            "RESIGHT_LEDGER_URL": ledger_url,
            "RESIGHT_KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:1",
            "RESIGHT_BLOBS_CROPS_URL": (tmp_path / "crops").as_uri(),
            "RESIGHT_API_PORT": str(port),
        },
        log=tmp_path / "api.log",
    ) as process:
        found = Api(port, process.pid, key)

        def answers() -> bool:
            try:
                found.connection().close()
            except OSError:
                return False
            return True

        wait_until(answers, told=(tmp_path / "api.log").read_text)
        found.sign_in_seconds()
        yield found


def begun(length: int, path: str = "/api/v1/galleries/default/lion/operations") -> bytes:
    """The head of a request, and some of its body."""
    head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {length}\r\n\r\n".encode() + b" " * 65_536


def ended(client: socket.socket) -> bytes:
    """Everything that comes before the server hangs up."""
    told = b""
    try:
        while piece := client.recv(65_536):
            told += piece
    except ConnectionResetError:
        pass
    return told


def test_200_slow_clients_without_a_key_cost_little_and_hold_nobody_up(api: Api) -> None:
    before = api.resident()
    with ExitStack() as stack:
        clients = [stack.enter_context(api.connection()) for _ in range(CLIENTS)]
        for client in clients:
            client.sendall(begun(MEBIBYTE))
        assert api.sign_in_seconds() < 2
        for client in clients:
            assert ended(client).startswith(b"HTTP/1.1 401"), "the key comes before the body"
        assert api.resident() - before < 60 * MEBIBYTE


def test_a_client_that_never_ends_its_headers_is_hung_up_on(api: Api) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(api.connection()) for _ in range(CLIENTS)]
        start = time.monotonic()
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\nX-A: ")
        assert api.sign_in_seconds() < 2
        assert ended(clients[-1]) == b""
        assert time.monotonic() - start < HEADER_SECONDS + 10


def test_more_connections_than_there_may_be_are_closed_at_once(api: Api) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(api.connection()) for _ in range(CLIENTS + 60)]
        assert ended(clients[-1]) == b""
    wait_until(lambda: api.sign_in_seconds() < 2)
