"""Redis, Triton and Qdrant over TLS: who is let in, and what is said of those who are not."""

import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import redis
from pydantic import SecretStr

from embedded.servers import HOST, free_port, ledger_store
from embedded.temporary import running
from services.embedder.build import build_encoder
from services.embedder.encoders.onnx_encoder import OnnxEncoder
from services.embedder.settings import EncoderSettings
from services.lookup.galleries.server import ServerGalleries
from services.lookup.galleries.server_connection import connect as connect_gallery
from services.lookup.settings import GallerySettings
from services.matcher.cache.keypoint_cache import connect as connect_cache
from services.matcher.settings import CacheSettings
from services.registry.ledger.store import Store
from services.registry.settings import LedgerSettings
from shared.errors import SettingsError, Transient
from shared.redis_settings import redis_options
from tests.support.samples.model_files import SIDE, tiny_model
from tests.support.servers import triton_server
from tests.support.servers.tls_front import Authority, front

PASSWORD = "correct horse"  # noqa: S105 - of a server that ends with the test


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "stranger")


@pytest.fixture(scope="module")
def ledger(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[LedgerSettings]:
    """A Valkey that wants a password, behind TLS that wants a certificate."""
    plain, secure = free_port(), free_port()
    with running(ledger_store(tmp_path_factory.mktemp("ledger"), plain)) as url:
        with redis.Redis.from_url(url) as client:
            client.config_set("requirepass", PASSWORD)
        with front(authority.context(asks_for_certificates=True), secure, plain):
            yield LedgerSettings(
                url=f"rediss://{HOST}:{secure}/0",
                password=SecretStr(PASSWORD),
                ca_file=authority.ca,
                certificate_file=authority.certificate,
                key_file=authority.key,
            )


def test_the_ledger_is_written_and_read_over_tls(ledger: LedgerSettings) -> None:
    with closing(Store.at(ledger)) as store:
        store.load()
        store.run("SET", "zebra", "1")
        assert store.run("GET", "zebra") == b"1"


def test_the_cache_too(ledger: LedgerSettings) -> None:
    settings = CacheSettings(**ledger.model_dump(exclude={"timeout_seconds"}))
    with connect_cache(settings.url, 2, redis_options(settings, settings.url)) as client:
        client.set("keypoints", b"1")
        assert client.get("keypoints") == b"1"


def test_a_ledger_with_a_strangers_certificate_is_refused(
    ledger: LedgerSettings, stranger: Authority
) -> None:
    wrong = ledger.model_copy(update={"ca_file": stranger.ca})
    with closing(Store.at(wrong)) as store, pytest.raises(Transient, match="verify failed"):
        store.run("PING")


def test_a_wrong_password_for_the_ledger_is_named(ledger: LedgerSettings) -> None:
    wrong = ledger.model_copy(update={"password": SecretStr("wrong")})
    with closing(Store.at(wrong)) as store, pytest.raises(Transient, match="password"):
        store.run("PING")


def test_certificates_for_a_plain_connection_are_a_mistake(authority: Authority) -> None:
    with pytest.raises(SettingsError, match="begin RESIGHT_LEDGER_URL with rediss://"):
        Store.at(LedgerSettings(url="redis://127.0.0.1:6379", ca_file=authority.ca))
    with pytest.raises(SettingsError, match="RESIGHT_GALLERY_URL must begin with https://"):
        connect_gallery(GallerySettings(ca_file=authority.ca))
    with pytest.raises(SettingsError, match="RESIGHT_ENCODER_TRITON_TLS=true"):
        build_encoder(EncoderSettings(kind="triton", model_version="1", ca_file=authority.ca))


@pytest.fixture(scope="module")
def triton(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[EncoderSettings]:
    """A real Triton that speaks TLS itself."""
    folder = tmp_path_factory.mktemp("triton")
    model = tiny_model(folder / "tiny.onnx")
    triton_server.lay_out(folder, model, max_batch=16)
    port = free_port()
    served = OnnxEncoder(model, threads=1).model
    with triton_server.running(folder, port, authority=authority):
        yield EncoderSettings(
            kind="triton",
            triton_url=f"{HOST}:{port}",
            triton_tls=True,
            ca_file=authority.ca,
            model_name=served.name,
            model_version=served.version,
            input_size=SIDE,
            max_batch=16,
            timeout_seconds=5,
        )


def test_triton_encodes_over_tls(triton: EncoderSettings) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    assert build_encoder(triton).encode(crops).embeddings.shape == (2, 512)


def test_a_triton_with_a_strangers_certificate_is_refused(
    triton: EncoderSettings, stranger: Authority
) -> None:
    encoder = build_encoder(triton.model_copy(update={"ca_file": stranger.ca}))
    assert not encoder.ready()
    with pytest.raises(Transient, match=r"(?i)certificate"):
        encoder.encode(np.zeros((1, SIDE, SIDE, 3), np.uint8))


class _Empty(BaseHTTPRequestHandler):
    """A Qdrant without collections, which notes the keys that it is shown."""

    keys: list[str | None] = []  # noqa: RUF012 - one server, one list

    def do_GET(self) -> None:
        self.keys.append(self.headers["api-key"])
        content = b'{"result": {"collections": []}, "status": "ok", "time": 0}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def gallery(authority: Authority) -> Iterator[GallerySettings]:
    secure = free_port()
    with ThreadingHTTPServer((HOST, 0), _Empty) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with front(authority.context(), secure, server.server_port):
            yield GallerySettings(
                kind="server",
                url=f"https://{HOST}:{secure}",
                api_key=SecretStr("key"),
                ca_file=authority.ca,
            )
        server.shutdown()
        thread.join()


def test_qdrant_is_asked_over_tls_with_its_key(gallery: GallerySettings) -> None:
    with closing(ServerGalleries(connect_gallery(gallery), gallery)) as galleries:
        assert galleries.empty()
    assert _Empty.keys[-1] == "key"


def test_a_qdrant_with_a_strangers_certificate_is_refused(
    gallery: GallerySettings, stranger: Authority
) -> None:
    refused = gallery.model_copy(update={"ca_file": stranger.ca})
    with (
        closing(ServerGalleries(connect_gallery(refused), refused)) as galleries,
        pytest.raises(Transient, match="certificate verify failed"),
    ):
        galleries.empty()
