"""Blob storage: a local folder, S3, Google Cloud Storage or Azure, by URL.

Credentials and endpoints of cloud stores come from the environment, under the
names that each cloud's own tools use (AWS_ACCESS_KEY_ID, AWS_ENDPOINT, …).
"""

import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, InvalidPathError, PermissionDeniedError
from obstore.store import LocalStore, ObjectStore, from_url

from shared.errors import Poison, SettingsError, Transient
from shared.messages import BlobReference

MAX_KEY_BYTES = 512
MAX_SEGMENT_BYTES = 200  # file systems allow 255 bytes, and temporary files have longer names
SHA256 = re.compile(r"[0-9a-f]{64}")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
NOT_A_FOLDER = "(os error 20)"
DENIED = "(os error 13)"

# The stage loop retries by itself; a hanging store must not block it.
RETRIES = 2

# Probe key for readiness, and how long a successful write counts.
PROBE = "resight-readiness-probe"
PROBED_SECONDS = 60.0
# Variables by which each cloud's tools find a custom endpoint.
ENDPOINTS = {
    "s3": ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}


class BlobStore:
    """An object store. Methods are thread-safe.

    Args:
        url: `file:///folder` (created when missing), `s3://bucket/prefix`,
            `gs://bucket/prefix` or `az://container/prefix`.
        timeout_seconds: how long one request to a cloud store may take.
        writes: whether this process writes to it; then it is ready only if it can.

    Raises:
        SettingsError: the URL scheme is unknown, or the endpoint in the environment is invalid.
    """

    def __init__(self, url: str, timeout_seconds: float = 30.0, *, writes: bool = False) -> None:
        self._writes = writes
        self._written_at = float("-inf")
        self._url = url
        self._folder = _folder(url)
        self._store = (
            _open(url, timeout_seconds)
            if self._folder is None
            else LocalStore(self._folder, mkdir=True)
        )

    def put(self, key: str, data: bytes) -> BlobReference:
        """Store `data` under `key` atomically; storing the same again changes nothing.

        Raises:
            Poison: the key is invalid.
            Transient: the store does not accept it.
        """
        check_key(key)
        try:
            obstore.put(self._store, key, data)
        except (BaseError, OSError) as error:
            raise self._down("write", key, error) from error
        return BlobReference(key=key, sha256=hashlib.sha256(data).hexdigest(), size=len(data))

    def get(self, reference: BlobReference, max_bytes: int) -> bytes:
        """Return the object of a reference, with size and hash verified.

        Nothing larger than `max_bytes`, or of another size than referenced, is downloaded.

        Raises:
            Poison: of kind bad-reference, too-many-bytes, missing-blob,
                unreadable-blob, wrong-size or wrong-hash.
            Transient: the store does not respond.
        """
        _check_reference(reference, max_bytes)
        key = reference.key

        def check(stored: int) -> None:
            if stored != reference.size:
                raise Poison(
                    f"{key!r} has {stored} bytes in {self._url}, but the reference says "
                    f"{reference.size}; publish the capture again with what was stored",
                    kind="wrong-size",
                )

        data = self._read(key, check)
        digest = hashlib.sha256(data).hexdigest()
        if digest != reference.sha256:
            raise Poison(
                f"{key!r} in {self._url} has SHA-256 {digest}, but the reference says "
                f"{reference.sha256}; publish the capture again with what was stored",
                kind="wrong-hash",
            )
        return data

    def find(self, key: str, max_bytes: int) -> bytes | None:
        """Return the object under a key, None without one; for content with its own checksum.

        Raises:
            Poison: of kind bad-reference, too-many-bytes or unreadable-blob.
            Transient: the store does not respond.
        """
        check_key(key)
        try:
            return self._read(key, lambda stored: _check_size(key, stored, max_bytes))
        except Poison as poison:
            if poison.kind == "missing-blob":
                return None
            raise

    def ready(self) -> bool:
        """Return whether the store can be read, and written if this process writes.

        A probe key is written and read. Without permission to list a bucket, clouds answer 403 for
        missing keys, so for readers that counts as readable.
        """
        try:
            self._probe()
        except FileNotFoundError:
            return True
        except PermissionDeniedError:
            return not self._writes
        except (BaseError, OSError):
            return False
        return True

    def _probe(self) -> None:
        """Write and read the probe key; a write counts for a minute."""
        if self._writes and time.monotonic() - self._written_at > PROBED_SECONDS:
            obstore.put(self._store, PROBE, b"ready")
            self._written_at = time.monotonic()
        obstore.get(self._store, PROBE).bytes()

    def _reads(self) -> bool:
        """Return whether this process can read the store."""
        try:
            self._probe()
        except FileNotFoundError:
            return True
        except (BaseError, OSError):
            return False
        return True

    def _read(self, key: str, check: Callable[[int], None]) -> bytes:
        """Return an object; `check` is told its size before it is downloaded."""
        self._check_regular(key)
        try:
            found = obstore.get(self._store, key)
            check(found.meta["size"])
            return bytes(found.bytes())
        except FileNotFoundError as error:
            raise self._missing(key) from error
        except (InvalidPathError, ValueError) as error:
            raise _bad_reference(key, str(error)) from error
        except (BaseError, OSError) as error:
            if NOT_A_FOLDER in str(error):
                raise self._missing(key) from error
            denied = isinstance(error, PermissionDeniedError) or DENIED in str(error)
            if denied and self._reads():  # so the fault is this object's, and waiting does not help
                raise self._unreadable(key, str(error).splitlines()[0]) from error
            raise self._down("read", key, error) from error

    def _check_regular(self, key: str) -> None:
        """Refuse local paths that are not files: a pipe would block for ever."""
        if self._folder is None:
            return
        try:
            kind = (self._folder / key).stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return  # reported by the store
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.EACCES, errno.ENAMETOOLONG}:
                raise self._unreadable(key, str(error.strerror)) from error
            raise self._down("read", key, error) from error
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise self._unreadable(key, "it is not a file but a pipe, a socket or a device")

    def _unreadable(self, key: str, why: str) -> Poison:
        return Poison(
            f"{key!r} in {self._url} can't be read although the store responds: {why}; give the "
            f"embedder access, or store the picture again and publish the capture again",
            kind="unreadable-blob",
        )

    def _missing(self, key: str) -> Poison:
        return Poison(
            f"{key!r} is not in {self._url}; upload the picture first, then publish the capture",
            kind="missing-blob",
        )

    def _down(self, verb: str, key: str, error: Exception) -> Transient:
        return Transient(f"can't {verb} {key!r} in {self._url}: {str(error).splitlines()[0]}")


def check_key(key: str) -> None:
    """Check that a key names an object inside a store and nothing else.

    Raises:
        Poison: of kind bad-reference; it says which rule the key breaks.
    """
    if not key:
        raise _bad_reference(key, "it is empty")
    if len(key.encode(errors="surrogatepass")) > MAX_KEY_BYTES:
        raise _bad_reference(key, f"it is longer than {MAX_KEY_BYTES} bytes")
    if "\\" in key or not key.isprintable():
        raise _bad_reference(key, "backslashes and control characters are not allowed")
    if SCHEME.match(key):
        raise _bad_reference(
            key, "it looks like a URL or a drive; only keys of the store are allowed"
        )
    segments = key.split("/")
    if any(segment in {"", ".", ".."} for segment in segments):
        raise _bad_reference(key, "it must be relative, without '.', '..' and empty parts")
    if any(len(segment.encode()) > MAX_SEGMENT_BYTES for segment in segments):
        raise _bad_reference(key, f"one of its parts is longer than {MAX_SEGMENT_BYTES} bytes")
    if re.search(r"#\d+$", key):  # reserved by local stores for temporary files
        raise _bad_reference(key, "it must not end in '#' and a number")


def _check_reference(reference: BlobReference, max_bytes: int) -> None:
    check_key(reference.key)
    if not SHA256.fullmatch(reference.sha256):
        raise _bad_reference(
            reference.key, f"its SHA-256 {reference.sha256[:80]!r} is not 64 lower-case hex digits"
        )
    if reference.size == 0:
        raise _bad_reference(reference.key, "its size is missing or 0")
    _check_size(reference.key, reference.size, max_bytes)


def _check_size(key: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise Poison(
            f"{key!r} has {size} bytes, more than the {max_bytes} allowed; store the picture "
            "smaller",
            kind="too-many-bytes",
        )


def _bad_reference(key: str, why: str) -> Poison:
    return Poison(
        f"the reference {key[:120]!r} is invalid: {why}; use a key of the configured store, such "
        "as cameras/2026/IMG_0001.JPG",
        kind="bad-reference",
    )


def _folder(url: str) -> Path | None:
    """Return the local folder of a URL; None: another kind of store."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    if parts.netloc or not parts.path.startswith("/"):
        raise SettingsError(f"blob store {url!r}: write file:/// and an absolute path")
    return Path(unquote(parts.path))


def _open(url: str, timeout_seconds: float) -> ObjectStore:
    parts = urlsplit(url)
    if parts.scheme not in {"s3", "gs", "az"} or not parts.netloc:
        raise SettingsError(
            f"blob store {url!r}: use file:///folder, s3://bucket/prefix, gs://bucket/prefix or "
            "az://container/prefix"
        )
    for name in ENDPOINTS[parts.scheme]:
        endpoint = os.environ.get(name)
        there = urlsplit(endpoint or "")
        if endpoint is not None and (there.scheme not in {"http", "https"} or not there.hostname):
            # The library would abort the process at the first request.
            raise SettingsError(
                f"{name}={endpoint!r} is not a server URL; write https://host, or remove it for "
                f"the cloud's own endpoint"
            )
    timeout = f"{int(timeout_seconds * 1000)}ms"
    options: dict[str, Any] = {
        # An endpoint without TLS, such as a local MinIO, is the operator's choice.
        "client_options": {"timeout": timeout, "connect_timeout": timeout, "allow_http": True},
        "retry_config": {"max_retries": RETRIES},
    }
    return from_url(url, **options)
