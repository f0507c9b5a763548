"""A ledger as a file, and back: for backups, and to move it to another server."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from typing import Any

from services.registry.keys import GALLERIES, NAMES, PLACES, key
from services.registry.ledger import Ledger
from services.registry.store import Store
from shared.errors import ResightError

VERSION = 1
# What is said of one broker, and for now, does not move.
STAYS = ("outbox", "proofs", "lease")
_CHUNK = 500


class ArchiveError(ResightError):
    """The file is no ledger, or the ledger that it should go to has such galleries already."""


def archived(store: Store) -> Iterator[str]:
    """Yield the lines of a ledger's file; sound only while no registry writes. May raise Transient.

    The first line says what it is, each other one holds a field of a key.
    """
    yield json.dumps({"ledger": VERSION})
    for name in sorted(each.decode() for each in store.run("SMEMBERS", GALLERIES)):
        for kept in NAMES:
            if kept not in STAYS:
                yield from _fields(store, {"gallery": name, "key": kept}, key(name, kept))
    yield from _fields(store, {"gallery": "", "key": "places"}, PLACES)


def restored(store: Store, lines: Iterable[str]) -> Iterator[str]:
    """Write a ledger's file into a store; yield each gallery as it becomes one of the ledger's.

    Every entry counts as not published, so the registry publishes all of them when it starts. What
    is interrupted may be repeated.

    Raises:
        ArchiveError: it is no such file, or a gallery of it is there already.
        Transient: the store does not answer.
    """
    ledger, there = Ledger(store), {each.decode() for each in store.run("SMEMBERS", GALLERIES)}
    found = iter(lines)
    if _read(next(found, "")).get("ledger") != VERSION:
        raise ArchiveError(
            f"this is no ledger's file of version {VERSION}; `ledger export` makes it"
        )
    galleries = []
    for line in found:
        told = _read(line)
        try:
            gallery, kept = str(told["gallery"]), str(told["key"])
            field, value = b64decode(told["field"]), b64decode(told["value"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArchiveError(f"a line of the file is damaged: {line[:80]!r}") from error
        if gallery in there:
            raise ArchiveError(
                f"gallery {gallery} is in this ledger already; import into an empty one "
                "(RESIGHT_LEDGER_URL)"
            )
        if gallery and gallery not in galleries:
            galleries.append(gallery)
        store.run("HSET", key(gallery, kept) if gallery else PLACES, field, value)
    ledger.load()
    for gallery in galleries:
        ledger.reopen(gallery)
        ledger.add_gallery(gallery)
        yield gallery


def _fields(store: Store, told: dict[str, str], name: str) -> Iterator[str]:
    cursor = b"0"
    while True:
        cursor, fields = store.run("HSCAN", name, cursor, "COUNT", _CHUNK)
        for field, value in fields.items():
            kept = {"field": b64encode(field).decode(), "value": b64encode(value).decode()}
            yield json.dumps({**told, **kept})
        if int(cursor) == 0:
            return


def _read(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
