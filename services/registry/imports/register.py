"""Progress of uploaded catalogues, shared by all replicas."""

import json
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from catalogue.reading.listing import LeftOut
from services.registry.ledger.store import Store

State = Literal["reading", "planned", "enrolling", "done", "given up", "failed", "lost"]
UNDER_WAY: frozenset[State] = frozenset({"reading", "planned", "enrolling"})

LATEST = "resight:imports"
# Marks a calibration that is being fitted.
FITTING = "fitting"
# How long a report is kept, and how long an import counts as active without news.
KEPT_SECONDS = 30 * 86400
SILENT_SECONDS = 30
_GONE = "its server is gone; upload the catalogue again: nothing is enrolled twice"


@dataclass(frozen=True)
class Import:
    """An uploaded catalogue.

    galleries: sightings and individuals per gallery
    left_out: number of skipped rows; `ImportRegister.left_out` has them
    published, enrolled: sightings so far
    wrong: why it failed
    key: the ID of the uploader's key; '' for none
    calibration: report of the fit afterwards; FITTING: in progress; empty: none
    """

    id: str
    actor: str
    file: str
    made_at: float
    state: State = "reading"
    format: str = ""
    rows: int = 0
    galleries: dict[str, tuple[int, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    left_out: int = 0
    published: int = 0
    enrolled: int = 0
    wrong: str = ""
    calibration: str = ""
    key: str = ""

    @property
    def sightings(self) -> int:
        """Its number of sightings."""
        return sum(count for count, _ in self.galleries.values())


class ImportRegister:
    """Imports in the ledger's store. Every method may raise Transient."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def begin(self, identifier: str, actor: str, file: str, key: str = "") -> Import:
        """Store a new import."""
        begun = Import(identifier, actor, file, self._now(), key=key)
        self.alive(identifier)
        self.keep(begun)
        self._store.run("ZADD", LATEST, repr(begun.made_at), identifier)
        self._store.run("ZREMRANGEBYSCORE", LATEST, "-inf", repr(self._now() - KEPT_SECONDS))
        return begun

    def keep(self, now: Import) -> None:
        """Store an import's progress."""
        self._store.run("SET", _key(now.id), json.dumps(asdict(now)), "EX", KEPT_SECONDS)

    def alive(self, identifier: str) -> None:
        """Mark an import as active."""
        self._store.run("SET", f"{_key(identifier)}:alive", "1", "EX", SILENT_SECONDS)

    def get(self, identifier: str) -> Import | None:
        """Return an import, if it exists."""
        stored = self._store.run("GET", _key(identifier))
        if stored is None:
            return None
        told = json.loads(stored)
        galleries = {name: (some[0], some[1]) for name, some in told["galleries"].items()}
        found = Import(**{**told, "galleries": galleries, "notes": tuple(told["notes"])})
        if found.state == "planned" and (word := self.word(identifier)):
            found = replace(found, state="enrolling" if word == "enrol" else "given up")
        if found.state in UNDER_WAY and not self._store.run("EXISTS", f"{_key(identifier)}:alive"):
            return replace(found, state="lost", wrong=_GONE)
        return found

    def latest(self, most: int = 50) -> list[Import]:
        """Return the latest imports, newest first."""
        names = self._store.run("ZREVRANGE", LATEST, 0, most - 1)
        return [found for name in names if (found := self.get(name.decode()))]

    def keep_left_out(self, identifier: str, left: Sequence[LeftOut]) -> None:
        """Store the skipped rows, with reasons."""
        told = json.dumps([(each.where, each.reason) for each in left])
        packed = zlib.compress(told.encode())
        self._store.run("SET", f"{_key(identifier)}:left", packed, "EX", KEPT_SECONDS)

    def left_out(self, identifier: str) -> list[LeftOut]:
        """Return the skipped rows, with reasons."""
        packed = self._store.run("GET", f"{_key(identifier)}:left")
        if packed is None:
            return []
        return [LeftOut(*each) for each in json.loads(zlib.decompress(packed))]

    def say(self, identifier: str, word: Literal["enrol", "give up"]) -> bool:
        """Store the decision about an import; return whether it was the first."""
        name = f"{_key(identifier)}:word"
        return bool(self._store.run("SET", name, word, "NX", "EX", KEPT_SECONDS))

    def word(self, identifier: str) -> str:
        """Return the decision about an import; empty: none."""
        return (self._store.run("GET", f"{_key(identifier)}:word") or b"").decode()


def _key(identifier: str) -> str:
    return f"resight:import:{identifier}"
