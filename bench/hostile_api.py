"""Hostile clients of the API, each in its own thread, and the time that a sign-in takes.

They connect only to the given address of this machine, and end when told to.
"""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import httpx

from services.registry.api.access.keys import Access
from tests.support.samples.hostile_archives import million_files, newlines

SLOW_CLIENTS = 100
ASKING = 10
STREAMS = 5
SIGN_IN_SECONDS = 1.0
PAUSE_SECONDS = 0.5


class HostileClients:
    """Hostile requests, repeated until `stop`.

    statuses: response statuses by kind; sign_in_seconds: of a normal user
    """

    def __init__(self, pages_url: str, access: Access, gallery: str, picture: bytes) -> None:
        self.statuses: Counter[str] = Counter()
        self.sign_in_seconds: list[float] = []
        self._site = pages_url
        self._gallery = f"{pages_url}/api/v1/galleries/{gallery}"
        self._picture = picture
        self._ended = threading.Event()
        self._admin = access.add("admin", "admin")
        self._reader, self._reviewer = access.add("r", "reader"), access.add("v", "reviewer")
        attacks: dict[str, Callable[[], None]] = {
            "slow": self._dawdle,
            "export": self._export,
            "letters": self._letters,
            "tables of newlines": lambda: self._upload(newlines()),
            "lists of files": lambda: self._upload(million_files()),
            "wrong key": self._guess,
        }
        several = [("ask", self._ask)] * ASKING + [("stream", self._stream)] * STREAMS
        self._threads = [
            threading.Thread(target=self._attack, args=each, daemon=True)
            for each in (*attacks.items(), *several)
        ]
        self._threads.append(threading.Thread(target=self._sign_in, daemon=True))

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop and join the threads."""
        self._ended.set()
        for thread in self._threads:
            thread.join(70)

    def _attack(self, name: str, attack: Callable[[], None]) -> None:
        while not self._ended.wait(PAUSE_SECONDS):
            try:
                attack()
            except (OSError, httpx.HTTPError) as error:
                self.statuses[f"{name}: {type(error).__name__}"] += 1

    def _sign_in(self) -> None:
        while not self._ended.wait(SIGN_IN_SECONDS):
            begun = time.monotonic()
            try:
                answer = httpx.post(f"{self._site}/sign-in", data={"key": self._admin}, timeout=30)
            except httpx.HTTPError as error:
                self.statuses[f"sign-in: {type(error).__name__}"] += 1
                self.sign_in_seconds.append(30.0)
                continue
            self.statuses[f"sign-in: {answer.status_code}"] += 1
            self.sign_in_seconds.append(time.monotonic() - begun)

    def _told(self, name: str, answer: httpx.Response) -> None:
        self.statuses[f"{name}: {answer.status_code}"] += 1

    def _dawdle(self) -> None:
        """Open many connections, send incomplete bodies and headers, and stall."""
        where = urlsplit(self._site)
        head = f"POST /api/v1/keys HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 999999\r\n"
        clients = []
        for number in range(SLOW_CLIENTS):
            client = socket.create_connection((where.hostname or "", where.port or 80), timeout=5)
            clients.append(client)
            more = b"\r\n" + b" " * 65_536 if number % 2 else b"X-A: "
            with suppress(OSError):
                client.sendall(head.encode() + more)
        self._ended.wait(5)
        for client in clients:
            client.close()
        self.statuses["slow: connections"] += len(clients)

    def _ask(self) -> None:
        files = {"picture": ("a.jpg", self._picture, "image/jpeg")}
        self._told("ask", self._post(f"{self._gallery}/search", self._reader, files))

    def _export(self) -> None:
        for kind in ("csv", "coco", "camtrap-dp"):
            parameters = {"format": kind, "pictures": "true"}
            headers = _bearer(self._reader)
            with httpx.stream(
                "GET", f"{self._gallery}/export", params=parameters, headers=headers, timeout=60
            ) as answer:
                for _ in answer.iter_raw():
                    pass
                self._told("export", answer)

    def _letters(self) -> None:
        self._told(
            "letters", httpx.get(f"{self._site}/letters", headers=_bearer(self._reader), timeout=60)
        )

    def _stream(self) -> None:
        live = f"{self._site}/api/v1/live"
        with httpx.stream("GET", live, headers=_bearer(self._reader), timeout=30) as answer:
            self._told("stream", answer)
            for _ in answer.iter_raw():
                if self._ended.is_set():
                    return

    def _upload(self, archive: bytes) -> None:
        files = {"catalogue": ("a.zip", archive, "application/zip")}
        self._told("upload", self._post(f"{self._site}/api/v1/imports", self._reviewer, files))

    def _guess(self) -> None:
        answer = httpx.get(f"{self._site}/api/v1/galleries", headers=_bearer("resight_0_0"))
        self._told("wrong key", answer)

    def _post(self, url: str, key: str, files: dict[str, tuple[str, bytes, str]]) -> httpx.Response:
        return httpx.post(url, headers=_bearer(key), files=files, timeout=90)


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
