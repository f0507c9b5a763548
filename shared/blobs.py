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
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, InvalidPathError, PermissionDeniedError
from obstore.store import LocalStore, ObjectStore, from_url

from shared.errors import Poison, SettingsError, Transient
from shared.messages import BlobReference

MAX_KEY_BYTES = 512
MAX_SEGMENT_BYTES = 200  # file systems allow 255, and a file being written has a longer name
SHA256 = re.compile(r"[0-9a-f]{64}")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
NOT_A_FOLDER = "(os error 20)"
DENIED = "(os error 13)"

# The stage loop backs off and tries again by itself; a store that hangs must not hold it up.
RETRIES = 2

# The key by which it is seen whether a store can be written and read, and how long a write counts.
PROBE = "resight-readiness-probe"
PROBED_SECONDS = 60.0
# Where each cloud's tools look for another endpoint than the cloud's own.
ENDPOINTS = {
    "s3": ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}


class BlobStore:
    """One store of objects. Methods may be called from several threads.

    Args:
        url: `file:///folder` (created when missing), `s3://bucket/prefix`,
            `gs://bucket/prefix` or `az://container/prefix`.
        timeout_seconds: how long one request to a cloud store may take.
        writes: whether this process writes into it, and so is ready only if it can.

    Raises:
        SettingsError: the URL is of no known kind, or the environment names an endpoint that is
            none.
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
        """Store `data` under `key` at once or not at all; the same again changes nothing.

        Raises:
            Poison: the key is no valid one.
            Transient: the store does not take it.
        """
        check_key(key)
        try:
            obstore.put(self._store, key, data)
        except (BaseError, OSError) as error:
            raise self._down("write", key, error) from error
        return BlobReference(key=key, sha256=hashlib.sha256(data).hexdigest(), size=len(data))

    def get(self, reference: BlobReference, max_bytes: int) -> bytes:
        """Return the object that `reference` names, its size and hash checked.

        Nothing is downloaded that is larger than `max_bytes`, or of another
        size than the reference says.

        Raises:
            Poison: of kind bad-reference, too-many-bytes, missing-blob,
                unreadable-blob, wrong-size or wrong-hash.
            Transient: the store does not answer.
        """
        _check_reference(reference, max_bytes)
        key = reference.key
        self._check_regular(key)
        try:
            found = obstore.get(self._store, key)
            stored = found.meta["size"]
            if stored != reference.size:
                raise Poison(
                    f"{key!r} has {stored} bytes in {self._url}, but the reference says "
                    f"{reference.size}; publish the capture again with what was stored",
                    kind="wrong-size",
                )
            data = bytes(found.bytes())
        except FileNotFoundError as error:
            raise self._missing(key) from error
        except (InvalidPathError, ValueError) as error:
            raise _bad_reference(key, str(error)) from error
        except (BaseError, OSError) as error:
            if NOT_A_FOLDER in str(error):
                raise self._missing(key) from error
            denied = isinstance(error, PermissionDeniedError) or DENIED in str(error)
            if denied and self._reads():  # so it is this object, and waiting would not help
                raise self._unreadable(key, str(error).splitlines()[0]) from error
            raise self._down("read", key, error) from error
        digest = hashlib.sha256(data).hexdigest()
        if digest != reference.sha256:
            raise Poison(
                f"{key!r} in {self._url} has SHA-256 {digest}, but the reference says "
                f"{reference.sha256}; publish the capture again with what was stored",
                kind="wrong-hash",
            )
        return data

    def ready(self) -> bool:
        """Return whether the store does what is asked of it here: reading, and writing if it is.

        A key of its own is written and read. Without the right to list a bucket a cloud answers
        for a key that is not there that it may not be read, so for who only reads that will do.
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
        """Write and read the store's own key; a write is good for a minute."""
        if self._writes and time.monotonic() - self._written_at > PROBED_SECONDS:
            obstore.put(self._store, PROBE, b"ready")
            self._written_at = time.monotonic()
        obstore.get(self._store, PROBE).bytes()

    def _reads(self) -> bool:
        """Return whether it is known that this process may read the store."""
        try:
            self._probe()
        except FileNotFoundError:
            return True
        except (BaseError, OSError):
            return False
        return True

    def _check_regular(self, key: str) -> None:
        """Refuse what in a local folder is no file: a pipe would be read for ever."""
        if self._folder is None:
            return
        try:
            kind = (self._folder / key).stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return  # the store says so in its own words
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.EACCES, errno.ENAMETOOLONG}:
                raise self._unreadable(key, str(error.strerror)) from error
            raise self._down("read", key, error) from error
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise self._unreadable(key, "it is no file but a pipe, a socket or a device")

    def _unreadable(self, key: str, why: str) -> Poison:
        return Poison(
            f"{key!r} in {self._url} can't be read though the store answers: {why}; let the "
            "embedder read it, or store the picture again and publish the capture anew",
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
        raise _bad_reference(key, "it looks like a URL or a drive; only keys in the store are read")
    segments = key.split("/")
    if any(segment in {"", ".", ".."} for segment in segments):
        raise _bad_reference(key, "it must be relative, without '.', '..' and empty parts")
    if any(len(segment.encode()) > MAX_SEGMENT_BYTES for segment in segments):
        raise _bad_reference(key, f"a part of it is longer than {MAX_SEGMENT_BYTES} bytes")
    if re.search(r"#\d+$", key):  # what a local store calls a file that is being written
        raise _bad_reference(key, "it must not end in '#' and a number")


def _check_reference(reference: BlobReference, max_bytes: int) -> None:
    check_key(reference.key)
    if not SHA256.fullmatch(reference.sha256):
        raise _bad_reference(
            reference.key, f"its SHA-256 {reference.sha256[:80]!r} is not 64 lower-case hex digits"
        )
    if reference.size == 0:
        raise _bad_reference(reference.key, "its size is missing or 0")
    if reference.size > max_bytes:
        raise Poison(
            f"{reference.key!r} has {reference.size} bytes, more than the {max_bytes} allowed; "
            "store the picture smaller, or raise the service's max_image_bytes",
            kind="too-many-bytes",
        )


def _bad_reference(key: str, why: str) -> Poison:
    return Poison(
        f"the reference {key[:120]!r} can't be followed: {why}; name an object of the configured "
        "store by its key, such as cameras/2026/IMG_0001.JPG",
        kind="bad-reference",
    )


def _folder(url: str) -> Path | None:
    """Return the local folder that a URL names; None: it names another kind of store."""
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
            # The store's library would end the process with the first request.
            raise SettingsError(
                f"{name}={endpoint!r} is no address of a server; write https://host, or leave it "
                "out for the cloud's own"
            )
    timeout = f"{int(timeout_seconds * 1000)}ms"
    options: dict[str, Any] = {
        # An endpoint without TLS, such as a MinIO next door, is the operator's choice.
        "client_options": {"timeout": timeout, "connect_timeout": timeout, "allow_http": True},
        "retry_config": {"max_retries": RETRIES},
    }
    return from_url(url, **options)
