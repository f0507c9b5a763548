"""A ledger as a file: for backups, and to move it to another server.

The first line describes the file and lists its galleries; each further one holds some items of a
key. The file has the ledger's whole database, including API keys, alert rules and the audit log,
except what belongs to one server, broker or moment.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from services.registry.ledger.epoch import EPOCH
from services.registry.ledger.keys import GALLERIES, KEYED, PLACES, key
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.store import Argument, Store
from services.registry.ledger.upgrade import bring_up
from shared.errors import ResightError

VERSION = 2
_STAYS = re.compile(
    r"resight:(epoch|session:.*|failed:.*|alerts:sending:.*|import:[^:]*:alive"
    r"|\{.*\}:(outbox|proofs|lease))"
)
# Members of a hash or sorted set per read, and commands per write.
_CHUNK = 500
_TOGETHER_BYTES = 4 * 1024 * 1024

_SCANS = {"hash": "HSCAN", "set": "SSCAN", "zset": "ZSCAN"}
_WRITERS = {"string": ("SET",), "hash": ("HSET",), "set": ("SADD",), "zset": ("ZADD",)}


class ArchiveError(ResightError):
    """The file is not a ledger, or the target ledger has its galleries already."""


def archived(store: Store) -> Iterator[str]:
    """Yield the lines of a ledger's file. May raise Transient.

    They are consistent only while no registry writes.
    """
    galleries = sorted(each.decode() for each in store.run("SMEMBERS", GALLERIES))
    epoch = (store.run("GET", EPOCH) or b"").decode()
    yield json.dumps({"ledger": VERSION, "epoch": epoch, "galleries": galleries})
    for name in sorted(set(_names(store))):
        kind = store.run("TYPE", name).decode()
        expires = store.run("PEXPIRETIME", name) if kind == "string" else -1
        for items in _items(store, name, kind):
            told: dict[str, Any] = {"key": name, "type": kind, "items": [*map(_packed, items)]}
            yield json.dumps(told | ({"expires": expires} if expires > 0 else {}))


def restored(store: Store, lines: Iterable[str]) -> Iterator[str]:
    """Write a ledger's file into a store; yield each gallery when complete.

    A new epoch begins: what was published of the lost time is ignored. Every entry counts as
        unpublished, so the registry publishes all at its start. An interrupted import may be
        repeated.

    Raises:
        ArchiveError: the file is invalid, or one of its galleries exists already.
        Transient: the store does not respond.
    """
    ledger, there = Ledger(store), {each.decode() for each in store.run("SMEMBERS", GALLERIES)}
    found = iter(lines)
    head = _head(found)
    galleries: dict[str, None] = dict.fromkeys(head.get("galleries", ()))
    _refuse(galleries, there)
    commands = _commands_of_1(found, galleries, there) if head["ledger"] == 1 else _commands(found)
    for some in _together(commands):
        store.run_all(some)
    ledger.load()
    ledger.renew(after=str(head.get("epoch", "")))
    for gallery in galleries:
        ledger.enter(gallery)
        ledger.add_gallery(gallery)
        bring_up(ledger, gallery)
        yield gallery


def check_archive(lines: Iterable[str]) -> None:
    """Validate a ledger's file without writing.

    Raises:
        ArchiveError: it is not a ledger's file, or a line is damaged.
    """
    found = iter(lines)
    head = _head(found)
    for _ in _commands_of_1(found, {}, set()) if head["ledger"] == 1 else _commands(found):
        pass


def emptied(store: Store) -> int:
    """Remove a ledger before a restore; return how many keys it had.

    Two things stay: its epoch, as the next one must be later, and that it ever had an API key,
        because a file from before the first key would allow access without one.
    """
    names = [*set(_names(store, everything=True)) - {EPOCH, KEYED}]
    for start in range(0, len(names), _CHUNK):
        store.run("UNLINK", *names[start : start + _CHUNK])
    return len(names)


def _together(commands: Iterable[tuple[Argument, ...]]) -> Iterator[list[tuple[Argument, ...]]]:
    """Yield groups of commands to send together: many small ones, or few large ones."""
    some: list[tuple[Argument, ...]] = []
    size = 0
    for command in commands:
        some.append(command)
        size += sum(len(part) if isinstance(part, str | bytes) else 8 for part in command)
        if size > _TOGETHER_BYTES or len(some) >= _CHUNK:
            yield some
            some, size = [], 0
    if some:
        yield some


def _head(lines: Iterator[str]) -> dict[str, Any]:
    head = _read(next(lines, ""))
    if head.get("ledger") not in {1, VERSION}:
        raise ArchiveError(
            f"this is not a ledger's file of version {VERSION}; `ledger export` makes one"
        )
    return head


def _refuse(galleries: Iterable[str], there: set[str]) -> None:
    if both := sorted(there.intersection(galleries)):
        raise ArchiveError(
            f"gallery {both[0]} is in this ledger already; import into an empty one "
            "(RESIGHT_LEDGER_URL), or replace this one with --replace"
        )


def _commands(lines: Iterable[str]) -> Iterator[tuple[Argument, ...]]:
    """Yield the commands that write a file of this version; they are idempotent."""
    begun = ""
    for line in lines:
        told = _read(line)
        try:
            name, kind = str(told["key"]), str(told["type"])
            items = [b64decode(each) for each in told["items"]]
            expires = int(told.get("expires", 0))
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(line) from error
        if kind == "list":
            if name != begun:
                yield "DEL", name
            begun = name
            yield "RPUSH", name, *items
        elif name == GALLERIES:
            continue  # a gallery is registered when it is complete
        elif kind in _WRITERS:
            yield (*_WRITERS[kind], name, *items)
            if expires:
                yield "PEXPIREAT", name, expires
        else:
            raise _damaged(line)


def _commands_of_1(
    lines: Iterable[str], galleries: dict[str, None], there: set[str]
) -> Iterator[tuple[Argument, ...]]:
    """Yield the commands that write a file of version 1, which held one field per line."""
    for line in lines:
        told = _read(line)
        try:
            gallery, kept = str(told["gallery"]), str(told["key"])
            field, value = b64decode(told["field"]), b64decode(told["value"])
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(line) from error
        if gallery and gallery not in galleries:
            _refuse([gallery], there)
            galleries[gallery] = None
        yield "HSET", key(gallery, kept) if gallery else PLACES, field, value


def _names(store: Store, *, everything: bool = False) -> Iterator[str]:
    cursor = b"0"
    while True:
        cursor, found = store.run("SCAN", cursor, "MATCH", "resight:*", "COUNT", _CHUNK)
        for each in found:
            name = each.decode()
            if everything or not _STAYS.fullmatch(name):
                yield name
        if int(cursor) == 0:
            return


def _items(store: Store, name: str, kind: str) -> Iterator[Sequence[bytes]]:
    """Yield a key's contents in pieces, as the arguments of its write command."""
    if kind == "string":
        value = store.run("GET", name)
        if value is not None:  # it may have expired
            yield [value]
    elif kind == "list":
        start = 0
        while found := store.run("LRANGE", name, start, start + _CHUNK - 1):
            yield found
            start += len(found)
    else:
        yield from _scanned(store, name, _SCANS[kind])


def _scanned(store: Store, name: str, command: str) -> Iterator[Sequence[bytes]]:
    cursor = b"0"
    while True:
        cursor, found = store.run(command, name, cursor, "COUNT", _CHUNK)
        if command == "HSCAN":
            found = [part for pair in found.items() for part in pair]
        elif command == "ZSCAN":
            found = [part for member, score in found for part in (repr(score).encode(), member)]
        if found:
            yield found
        if int(cursor) == 0:
            return


def _packed(item: bytes) -> str:
    return b64encode(item).decode()


def _damaged(line: str) -> ArchiveError:
    return ArchiveError(f"a line of the file is damaged: {line[:80]!r}")


def _read(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
