"""How a Qdrant server's troubles look to lookup. A small HTTP server answers as Qdrant does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from qdrant_client import QdrantClient, models

from embedded.servers import HOST, free_port
from services.lookup.galleries.names import collection_name
from services.lookup.galleries.server import ServerGalleries, ServerGallery
from services.lookup.galleries.server_connection import connect
from services.lookup.settings import GallerySettings
from shared.errors import Poison, SettingsError, Transient
from tests.support.galleries import enrolment

WRONG_DIMENSION = {
    "status": {"error": "Wrong input: Vector dimension error: expected dim: 128, got 512"}
}


class Answer(BaseHTTPRequestHandler):
    """Gives every request the answer that the server holds."""

    server: "Qdrant"

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        content = json.dumps(self.server.content).encode()
        self.send_response(self.server.status)
        for name, value in self.server.extra_headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Qdrant(ThreadingHTTPServer):
    status = 200
    content: object = None
    extra_headers: dict[str, str] = {}  # noqa: RUF012 - replaced, never changed


@pytest.fixture
def qdrant() -> Iterator[Qdrant]:
    with Qdrant((HOST, 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def gallery(qdrant: Qdrant) -> Iterator[ServerGallery]:
    settings = GallerySettings(
        kind="server", url=f"http://{HOST}:{qdrant.server_port}", timeout_seconds=2
    )
    client = connect(settings)
    yield ServerGallery(client, "collection", settings)
    client.close()


def updated(status: str) -> dict[str, object]:
    return {"result": {"operation_id": 1, "status": status}, "status": "ok", "time": 0.1}


def test_an_applied_write_returns(qdrant: Qdrant, gallery: ServerGallery) -> None:
    qdrant.content = updated("completed")
    gallery.enrol([enrolment(1)])


@pytest.mark.parametrize("status", ["wait_timeout", "acknowledged"])
def test_a_write_that_was_taken_but_not_applied_comes_again(
    qdrant: Qdrant, gallery: ServerGallery, status: str
) -> None:
    qdrant.content = updated(status)
    with pytest.raises(Transient, match="had not applied them"):
        gallery.enrol([enrolment(1)])


@pytest.mark.parametrize(
    ("status", "extra_headers"), [(500, {}), (503, {}), (408, {}), (429, {"Retry-After": "1"})]
)
def test_trouble_that_passes_is_transient(
    qdrant: Qdrant, gallery: ServerGallery, status: int, extra_headers: dict[str, str]
) -> None:
    qdrant.status, qdrant.extra_headers = status, extra_headers
    qdrant.content = {"status": {"error": "try again"}}
    with pytest.raises(Transient, match="Qdrant: writing failed"):
        gallery.enrol([enrolment(1)])


def test_a_refused_vector_is_poison(qdrant: Qdrant, gallery: ServerGallery) -> None:
    qdrant.status, qdrant.content = 400, WRONG_DIMENSION
    with pytest.raises(Poison, match="expected dim: 128"):
        gallery.enrol([enrolment(1)])


def test_a_refused_key_is_a_crash(qdrant: Qdrant, gallery: ServerGallery) -> None:
    qdrant.status, qdrant.content = 403, {"status": {"error": "forbidden"}}
    with pytest.raises(Exception, match="403") as crash:
        gallery.enrol([enrolment(1)])
    assert not isinstance(crash.value, Transient | Poison)


def test_a_server_that_is_away_is_transient_and_not_ready() -> None:
    settings = GallerySettings(kind="server", url=f"http://{HOST}:{free_port()}", timeout_seconds=1)
    galleries = ServerGalleries(connect(settings), settings)
    assert not galleries.ready()
    with pytest.raises(Transient, match=r"Qdrant: opening collection resight-model.* failed: .+"):
        galleries.open("model")
    galleries.close()


def test_a_collection_of_other_vectors_is_refused_by_name() -> None:
    client = QdrantClient(":memory:")
    client.create_collection(
        collection_name("model"),
        vectors_config=models.VectorParams(size=128, distance=models.Distance.COSINE),
    )
    galleries = ServerGalleries(client, GallerySettings(kind="server"))
    with pytest.raises(SettingsError, match=collection_name("model")):
        galleries.open("model")
    galleries.close()
