"""Blob storage: nothing but whole, checked objects of the configured store."""

import hashlib
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.exceptions import PermissionDeniedError

from embedded.servers import free_port
from shared.blobs import PROBE, BlobStore, check_key
from shared.errors import Poison, SettingsError, Transient
from shared.messages import BlobReference

ROOM = 1000


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(f"file://{tmp_path}/new%20folder/crops")


def _reference(key: str, data: bytes = b"crop") -> BlobReference:
    return BlobReference(key=key, sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def _kind(store: BlobStore, reference: BlobReference, room: int = ROOM) -> str:
    with pytest.raises(Poison) as caught:
        store.get(reference, room)
    return caught.value.kind


def test_what_was_put_can_be_got_by_its_reference(store: BlobStore, tmp_path: Path) -> None:
    reference = store.put("crops/ab/abc.jpg", b"crop")
    assert reference == _reference("crops/ab/abc.jpg")
    assert store.get(reference, ROOM) == b"crop"
    assert (tmp_path / "new folder/crops/crops/ab/abc.jpg").read_bytes() == b"crop"


def test_an_object_with_a_checksum_of_its_own_is_found_by_its_key(store: BlobStore) -> None:
    store.put("keypoints/a", b"crop")
    assert store.find("keypoints/a", ROOM) == b"crop"
    assert store.find("keypoints/b", ROOM) is None
    with pytest.raises(Poison, match="more than the 3 allowed"):
        store.find("keypoints/a", 3)
    with pytest.raises(Poison, match="must be relative"):
        store.find("../a", ROOM)


def test_putting_again_changes_nothing(store: BlobStore, tmp_path: Path) -> None:
    first = store.put("a/b.jpg", b"crop")
    assert store.put("a/b.jpg", b"crop") == first
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["b.jpg"]


def test_a_reader_never_sees_half_an_object(store: BlobStore) -> None:
    first, second = b"a" * 2_000_000, b"b" * 2_000_000
    valid = [store.put("crop", data) for data in (second, first)]
    done = threading.Event()

    def rewrite() -> None:
        while not done.is_set():
            store.put("crop", first)
            store.put("crop", second)

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for number in range(60):
            try:
                store.get(valid[number % 2], 10**7)
            except Poison as poison:
                # The other of the two whole objects, never a mixture or a part of one.
                assert poison.kind == "wrong-hash"  # noqa: PT017
                assert any(f"has SHA-256 {ref.sha256}" in poison.reason for ref in valid)  # noqa: PT017
    finally:
        done.set()
        writer.join()


def test_size_and_hash_are_checked(store: BlobStore) -> None:
    store.put("a", b"crop")
    assert _kind(store, _reference("a", b"crap")) == "wrong-hash"
    assert _kind(store, _reference("a", b"crops")) == "wrong-size"
    assert _kind(store, _reference("b")) == "missing-blob"
    assert _kind(store, _reference("a/b")) == "missing-blob"
    assert _kind(store, _reference("a"), room=3) == "too-many-bytes"


def test_a_folder_is_no_object(store: BlobStore) -> None:
    store.put("a/b", b"crop")
    assert _kind(store, _reference("a")) == "missing-blob"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../secret",
        "a/../../secret",
        "a/./b",
        "a//b",
        "a/",
        "file:///etc/passwd",
        "s3://other/bucket",
        "http://169.254.169.254/latest",
        "C:\\Windows",
        "a\\b",
        "a\nb",
        "a\0b",
        "a" * 201,
        "a/" * 256 + "b",
        "half-written#1",
    ],
)
def test_a_key_that_could_mean_something_else_is_refused(store: BlobStore, key: str) -> None:
    assert _kind(store, _reference(key)) == "bad-reference"
    with pytest.raises(Poison, match="is invalid"):
        store.put(key, b"crop")


@pytest.mark.parametrize("digest", ["", "ab", "AB" * 32, "zz" * 32])
def test_a_reference_needs_a_whole_hash(store: BlobStore, digest: str) -> None:
    reference = BlobReference(key="a", sha256=digest, size=4)
    assert _kind(store, reference) == "bad-reference"


def test_a_reference_needs_a_size(store: BlobStore) -> None:
    assert _kind(store, _reference("a", b"")) == "bad-reference"


@given(st.text(max_size=300))
def test_any_key_that_passes_can_be_stored_and_stays_inside(key: str) -> None:
    try:
        check_key(key)
    except Poison:
        return
    parts = Path("/store").joinpath(key).parts
    assert parts[:2] == ("/", "store")
    assert ".." not in parts


@pytest.mark.parametrize("key", ["Kamera ü/2026-05-31 17:04:09.jpg", "a*?<>|~%2F..%00.jpg", "..a"])
def test_odd_but_harmless_keys_work(store: BlobStore, key: str) -> None:
    assert store.get(store.put(key, b"crop"), ROOM) == b"crop"


def test_a_store_that_does_not_answer_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    store = BlobStore("s3://bucket/prefix", timeout_seconds=1)
    assert not store.ready()
    with pytest.raises(Transient, match="can't read 'a' in s3://bucket/prefix"):
        store.get(_reference("a"), ROOM)
    with pytest.raises(Transient, match="can't write"):
        store.put("a", b"crop")


def test_a_local_store_is_ready(store: BlobStore) -> None:
    assert store.ready()


@pytest.mark.parametrize("url", ["/crops", "file://host/crops", "http://host/crops", "s3://"])
def test_a_url_of_another_kind_is_a_settings_error(url: str) -> None:
    with pytest.raises(SettingsError, match="blob store"):
        BlobStore(url)


def test_what_is_no_file_does_not_hold_up_the_ones_behind_it(tmp_path: Path) -> None:
    """A pipe would be read for ever, and a link to itself be called a store that is away."""
    store = BlobStore(tmp_path.as_uri())
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    # It waits for a reader, so that one who opens the pipe sees its end instead of hanging.
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"",))
    writer.start()
    try:
        _assert_unreadable(store, "pipe", "loop")
    finally:
        reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        writer.join()
        os.close(reader)


def _assert_unreadable(store: BlobStore, *keys: str) -> None:
    for key in keys:
        with pytest.raises(Poison) as caught:
            store.get(BlobReference(key=key, sha256="ab" * 32, size=10), 100)
        assert caught.value.kind == "unreadable-blob"
        assert key in caught.value.reason


@pytest.mark.parametrize("answers", [True, False])
def test_an_object_that_may_not_be_read_is_told_from_a_store_that_may_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    store = BlobStore(tmp_path.as_uri())
    stored = store.put("a.jpg", b"picture")

    def denied(*_: object) -> None:
        raise PermissionDeniedError("403 Forbidden")

    monkeypatch.setattr(obstore, "get", denied)
    monkeypatch.setattr(BlobStore, "_reads", lambda _: answers)
    with pytest.raises(Poison if answers else Transient, match="403 Forbidden"):
        store.get(stored, 100)


@pytest.mark.parametrize("endpoint", ["", "minio", "http://", "s3.example.org:9000", "file:///x"])
@pytest.mark.parametrize("name", ["AWS_ENDPOINT", "AWS_ENDPOINT_URL"])
def test_an_endpoint_that_is_none_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, endpoint: str
) -> None:
    monkeypatch.setenv(name, endpoint)
    with pytest.raises(SettingsError, match=name):
        BlobStore("s3://bucket")


class Bucket:
    """As much of S3 as is asked here, without the right to list: what is not there is denied."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.writable = True

    def serve(self) -> ThreadingHTTPServer:
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                if bucket.writable:
                    bucket.objects[self.path] = data
                self.answer(200 if bucket.writable else 403, b"")

            def do_GET(self) -> None:
                found = bucket.objects.get(self.path)
                self.answer(403 if found is None else 200, found or b"<Code>AccessDenied</Code>")

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", '"1"')
                self.send_header("Last-Modified", "Mon, 30 Nov 2026 12:00:00 GMT")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    found = Bucket()
    server = found.serve()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield found
    server.shutdown()
    server.server_close()


def test_who_may_write_and_not_list_is_ready(bucket: Bucket) -> None:
    assert BlobStore("s3://bucket", writes=True).ready()
    assert [PROBE in path for path in bucket.objects] == [True]
    assert BlobStore("s3://bucket").ready()


def test_who_may_not_write_what_they_have_to_is_not_ready(bucket: Bucket) -> None:
    bucket.writable = False
    assert not BlobStore("s3://bucket", writes=True).ready()
    assert BlobStore("s3://bucket").ready()


@pytest.mark.usefixtures("bucket")
def test_an_object_that_is_denied_waits_until_it_is_known_that_others_can_be_read() -> None:
    store = BlobStore("s3://bucket")
    with pytest.raises(Transient):
        store.get(_reference("a.jpg"), ROOM)
    BlobStore("s3://bucket", writes=True).ready()
    with pytest.raises(Poison, match="give the embedder access"):
        store.get(_reference("a.jpg"), ROOM)
