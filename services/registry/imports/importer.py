"""Imports uploaded catalogues: reads them, reports their contents, and enrols approved ones."""

import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from catalogue.formats import detection
from catalogue.plan import Plan, not_enrolled, plan
from catalogue.publishing.account import Account
from catalogue.publishing.follow import publish_and_follow
from catalogue.reading.limits import Limits
from services.registry.imports.register import Import, ImportRegister
from shared.errors import ResightError, Transient
from shared.labels import LabelSettings
from shared.settings import KafkaSettings

# Maximum number of catalogues on a server's disk.
MOST_HELD = 2
# Imports without a decision are cancelled after this time.
DECIDING_SECONDS = 3600.0
# Sightings without an outcome for this long are reported.
PATIENCE_SECONDS = 300.0
POLL_SECONDS = 0.5
ALIVE_SECONDS = 5.0

log = logging.getLogger(__name__)


class BusyError(ResightError):
    """There are too many imports already."""


class _StoppedError(Exception):
    """The server is shutting down."""


@dataclass(frozen=True)
class ImportRequest:
    """Values that override a whole catalogue's; None: keep the catalogue's.

    key: the ID of the uploader's key
    sees: whether they may write into a gallery
    """

    actor: str
    key: str
    sees: Callable[[str], bool]
    species: str | None = None
    population: str | None = None
    deployment: str | None = None


class Importer:
    """Imports catalogues in its own threads, until `closing` is set."""

    def __init__(
        self,
        register: ImportRegister,
        kafka: KafkaSettings,
        closing: threading.Event,
        labels: LabelSettings | None = None,
    ) -> None:
        self._register = register
        self._kafka = kafka
        self._closing = closing
        self._labels = labels
        self._held: set[str] = set()
        self._taken: set[str] = set()
        self._lock = threading.Lock()
        # Two at once would not be faster.
        self._enrolling = threading.Lock()

    @contextmanager
    def room(self) -> Iterator[str]:
        """Reserve space for one catalogue, under an ID; released unless `take` uses it.

        It is reserved before the upload is read.

        Raises:
            BusyError: there are too many imports.
        """
        identifier = uuid4().hex
        with self._lock:
            if len(self._held) >= MOST_HELD:
                raise BusyError(
                    f"there are {MOST_HELD} imports already; wait until they are enrolled, or "
                    "cancel one that awaits approval"
                )
            self._held.add(identifier)
        try:
            yield identifier
        finally:
            with self._lock:
                if identifier not in self._taken:
                    self._held.discard(identifier)

    def take(
        self, identifier: str, archive: BinaryIO, name: str, wanted: ImportRequest, limits: Limits
    ) -> Import:
        """Unpack a ZIP into its reserved space, and start reading it.

        Raises:
            ForeignError: it cannot be unpacked.
            Transient: the ledger does not respond.
        """
        folder = Path(tempfile.mkdtemp(prefix=f"catalogue-{os.getpid()}-"))
        try:
            source = detection.unpack(archive, name, folder, limits)
            begun = self._register.begin(identifier, wanted.actor, name, wanted.key)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        with self._lock:
            self._taken.add(identifier)
        arguments = (begun, source, folder, wanted, limits)
        threading.Thread(target=self._run, args=arguments, name="import", daemon=True).start()
        threading.Thread(target=self._live, args=(identifier,), name="alive", daemon=True).start()
        return begun

    def _run(
        self, now: Import, source: Path, folder: Path, wanted: ImportRequest, limits: Limits
    ) -> None:
        try:
            self._register.keep(self._worked(now, source, wanted, limits))
        except _StoppedError:
            log.info("the server shut down during import %s", now.id)
        except Transient as error:
            log.warning("import %s ends: %s", now.id, error)
            self._fail(now, str(error))
        except Exception:
            log.exception("import %s failed", now.id)
            self._fail(now, "Internal error; see the server log")
        finally:
            self._drop(now.id, folder)

    def _worked(self, now: Import, source: Path, wanted: ImportRequest, limits: Limits) -> Import:
        """Return an import in its final state."""
        try:
            planned = plan(
                source,
                species=wanted.species,
                population=wanted.population,
                deployment=wanted.deployment,
                confined=True,
                limits=limits,
            )
        except (OSError, ValueError) as error:
            return replace(now, state="failed", wrong=_without(source, now.file, str(error)))
        now = replace(
            now,
            state="planned",
            format=planned.format,
            rows=planned.rows,
            galleries=planned.galleries,
            notes=tuple(_without(source, now.file, note) for note in planned.notes),
            left_out=len(planned.left_out),
        )
        self._register.keep_left_out(now.id, planned.left_out)
        foreign = [name for name in planned.galleries if not wanted.sees(name)]
        if foreign:
            told = f"it has animals of {', '.join(foreign)}, which your key may not see"
            return replace(now, state="failed", wrong=told)
        if not planned.photographs:
            return replace(now, state="failed", wrong="none of its animals has a name")
        self._register.keep(now)
        if self._word(now.id) != "enrol":
            return replace(now, state="given up")
        with self._enrolling:
            return self._enrolled(replace(now, state="enrolling"), planned, source)

    def _word(self, identifier: str) -> str:
        """Return the decision about an import; '' if none was made."""
        end = time.monotonic() + DECIDING_SECONDS
        while time.monotonic() < end:
            if word := self._register.word(identifier):
                return word
            if self._closing.wait(POLL_SECONDS):
                raise _StoppedError
        self._register.say(identifier, "give up")
        return self._register.word(identifier)

    def _enrolled(self, now: Import, planned: Plan, source: Path) -> Import:
        told_at = 0.0

        def attend(account: Account) -> None:
            nonlocal told_at
            if self._closing.is_set():
                raise _StoppedError
            if time.monotonic() - told_at > POLL_SECONDS:
                told_at = time.monotonic()
                try:
                    self._register.keep(_so_far(now, account))
                except Transient as error:
                    log.warning("could not save progress of import %s: %s", now.id, error)

        self._register.keep(now)
        account = publish_and_follow(
            self._kafka,
            planned.photographs,
            attend,
            PATIENCE_SECONDS,
            now.actor,
            labels=self._labels,
        )
        left = [*planned.left_out, *not_enrolled(account, source)]
        self._register.keep_left_out(now.id, left)
        return replace(_so_far(now, account), state="done", left_out=len(left))

    def _fail(self, now: Import, why: str) -> None:
        try:
            found = self._register.get(now.id) or now
            self._register.keep(replace(found, state="failed", wrong=why))
        except Transient as error:
            log.warning("could not save that import %s failed: %s", now.id, error)

    def _drop(self, identifier: str, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        with self._lock:
            self._held.discard(identifier)
            self._taken.discard(identifier)

    def _live(self, identifier: str) -> None:
        """Keep an import marked as active while it is processed."""
        while identifier in self._held and not self._closing.wait(ALIVE_SECONDS):
            try:
                self._register.alive(identifier)
            except Transient as error:
                log.warning("could not mark import %s as active: %s", identifier, error)


def sweep() -> None:
    """Remove catalogues of killed processes; run at start."""
    for folder in Path(tempfile.gettempdir()).glob("catalogue-*-*"):
        pid = folder.name.split("-")[1]
        # In a container every process has the same number.
        if pid.isdigit() and (int(pid) == os.getpid() or not Path(f"/proc/{pid}").exists()):
            shutil.rmtree(folder, ignore_errors=True)


def _without(source: Path, file: str, text: str) -> str:
    """Return a text without the server's paths, keeping those inside the ZIP."""
    folder = next((each for each in source.parents if each.name.startswith("catalogue-")), source)
    for path in (source, folder):
        text = text.replace(f"{path}/", "").replace(str(path), file)
    return text


def _so_far(planned: Import, account: Account) -> Import:
    lost = len(account.dead) + len(account.skipped)
    return replace(
        planned,
        published=len(account.published),
        enrolled=len(account.decisions),
        left_out=planned.left_out + lost,
    )
