"""State of a running stack for other commands: `stack.json` in its data folder."""

import fcntl
import json
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from shared.environment import load
from shared.errors import ResightError
from shared.files import replacing, write_atomically
from shared.settings import KafkaSettings

DEFAULT_FOLDER = Path(".resight")
_STATE = "stack.json"
# Secret by which the stack's importer signs labels.
LABELS_SECRET = "labels.secret"  # noqa: S105 (a file's name)
_LOCK = "stack.lock"
# `running` holds the lock briefly while it checks; a starting stack waits longer.
_LOCK_SECONDS = 1.0


class StackError(ResightError):
    """The embedded stack cannot do what was requested."""


@dataclass(frozen=True)
class StackState:
    """Addresses of a running stack."""

    pid: int
    bootstrap_servers: str
    ledger_url: str
    cache_url: str
    crops_url: str
    pages_url: str  # URL of pages and API; '': they don't run
    telemetry: Mapping[str, str]  # service -> http://host:port of /readyz and /metrics

    def kafka(self) -> KafkaSettings:
        """Return how to connect to the broker.

        The embedded one counts batches where Kafka counts records, so each record is its own batch,
        and it is unencrypted, whatever the environment says.

        Raises:
            SettingsError: other settings of the environment are malformed.
        """
        embedded = {
            "bootstrap_servers": self.bootstrap_servers,
            "producer_batch_bytes": 0,
            "security": "PLAINTEXT",
            "ca_file": None,
        }
        return load(KafkaSettings).model_copy(update=embedded)

    def write(self, folder: Path) -> None:
        """Write the state to `folder` atomically."""
        write_atomically(folder / _STATE, f"{json.dumps(asdict(self), indent=2)}\n".encode())


def make_labels_secret(folder: Path) -> None:
    """Create the secret for signing labels, if missing; only its user can read it."""
    path = folder / LABELS_SECRET
    if not path.exists():
        with replacing(path) as draft:
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(32) + "\n")


@contextmanager
def occupied(folder: Path) -> Iterator[None]:
    """Lock the data folder for one stack; the kernel releases it when the process ends.

    Raises:
        StackError: another stack runs from this folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a") as lock:
        deadline = time.monotonic() + _LOCK_SECONDS
        while not _take(lock, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise StackError(
                    f"a stack is already running from {folder}; stop it with Ctrl-C, or choose "
                    f"another --data-dir"
                )
            time.sleep(0.05)
        try:
            yield
        finally:
            (folder / _STATE).unlink(missing_ok=True)


def running(folder: Path) -> StackState | None:
    """Return the stack that runs from `folder`, or None.

    A file left behind by a killed stack is ignored, because nobody holds the lock.
    """
    try:
        state = json.loads((folder / _STATE).read_text())
        with (folder / _LOCK).open() as lock:
            if _take(lock, fcntl.LOCK_SH):
                return None
    except FileNotFoundError:
        return None
    return StackState(**state)


def clear(folder: Path) -> None:
    """Remove the data folder of a stopped stack, if it exists.

    Raises:
        StackError: a stack runs from it, or it is not a stack's folder.
    """
    if not folder.exists():
        return
    if running(folder):
        raise StackError(
            f"a stack is running from {folder}; stop it first, or choose another folder"
        )
    if not (folder / _LOCK).exists():
        raise StackError(
            f"{folder} is not a stack's data folder and was not changed; choose another"
        )
    shutil.rmtree(folder)


def _take(lock: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
