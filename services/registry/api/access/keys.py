"""Who may do what: keys with a role, bound to galleries, and sessions of browsers.

A key is shown once, when it is made; the ledger's store keeps its digest. Keys are random, so
nobody guesses one from its plain SHA-256.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from services.registry.api.metrics import WRONG_KEYS
from services.registry.ledger.keys import KEYED
from services.registry.ledger.store import Store
from shared.errors import ResightError

Role = Literal["reader", "reviewer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

KEYS = "resight:keys"
LOCK_SECONDS = 15 * 60
_PREFIX = "resight"
# Whom the ledger names where no person said something; no key may be theirs.
_RESERVED = frozenset({"registry", "catalogue", "local", "command line", "resight"})
_RESERVED_PREFIX = "import:"


class AccessError(ResightError):
    """A key can't be made or removed as asked."""


@dataclass(frozen=True)
class Person:
    """Who asks, and what they may.

    galleries: those that they see; none named: all
    key: the ID of their key; '' for somebody without one
    """

    name: str
    role: Role
    galleries: tuple[str, ...] = ()
    key: str = ""

    def may(self, role: Role) -> bool:
        """Return whether they may do what a role may do."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def sees(self, gallery: str) -> bool:
        """Return whether a gallery is theirs to see."""
        return not self.galleries or gallery in self.galleries

    def knows_places(self, gallery: str) -> bool:
        """Return whether they may know where exactly the animals of a gallery are."""
        return self.may("admin") and self.sees(gallery)

    def governs(self, galleries: Sequence[str]) -> bool:
        """Return whether what is bound to galleries is theirs to change; none named: to all."""
        return not self.galleries or (bool(galleries) and all(map(self.sees, galleries)))


@dataclass(frozen=True)
class Key:
    """A key as it is kept: everything but the secret."""

    id: str
    name: str
    role: Role
    galleries: tuple[str, ...]
    made_at: float

    @property
    def person(self) -> Person:
        """Who comes with this key."""
        return Person(self.name, self.role, self.galleries, self.id)


class Access:
    """Keys and sessions in the ledger's store. Every method may raise Transient."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def any(self) -> bool:
        """Return whether there is or ever was a key.

        While there never was one, whoever reaches the API from its own machine is its admin.
        """
        return bool(self._store.run("HLEN", KEYS) or self._store.run("EXISTS", KEYED))

    def add(
        self, name: str, role: Role, galleries: Sequence[str] = (), by: Person | None = None
    ) -> str:
        """Make a key and return it; it can't be shown again.

        by: who makes it; None: somebody at the machine of the ledger

        Raises:
            AccessError: the first key is not an admin's, who alone could make others; the name is
                one that the ledger uses itself; or it is not theirs to make.
        """
        keys = self.made()
        if role != "admin" and not keys:
            raise AccessError("the first key must be an admin's: make that one, then others")
        if name.casefold() in _RESERVED or name.casefold().startswith(_RESERVED_PREFIX):
            raise AccessError(f"the ledger uses the name {name!r} itself; choose another one")
        if by is not None and not by.governs(galleries):
            raise AccessError(
                f"your key is bound to {', '.join(by.galleries)}, so the keys that you make must "
                "be bound to some of these"
            )
        if by is not None and any(
            key.name.casefold() == name.casefold() and not _governed(by, key) for key in keys
        ):
            raise AccessError(f"somebody else has a key by the name {name!r}; choose another one")
        identifier, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        key = Key(identifier, name, role, tuple(galleries), self._now())
        kept = {**asdict(key), "digest": _digest(secret)}
        self._store.run("SET", KEYED, "1")
        self._store.run("HSET", KEYS, identifier, json.dumps(kept))
        return f"{_PREFIX}_{identifier}_{secret}"

    def made(self, by: Person | None = None) -> list[Key]:
        """Return all keys that somebody governs, the oldest first."""
        stored = self._store.run("HVALS", KEYS)
        found = sorted((_read(each)[0] for each in stored), key=lambda key: (key.made_at, key.id))
        return [key for key in found if _governed(by, key)]

    def remove(self, identifier: str, by: Person | None = None) -> Key:
        """Remove a key and return it; its sessions end with it.

        Raises:
            AccessError: there is none that they govern, or it is the last admin's of all galleries.
        """
        keys = {key.id: key for key in self.made()}
        if identifier not in keys or not _governed(by, keys[identifier]):
            raise AccessError(f"there is no key {identifier}; `resight keys list` shows them")
        admins = [key.id for key in keys.values() if key.role == "admin" and not key.galleries]
        if admins == [identifier] and len(keys) > 1:
            raise AccessError(
                f"{identifier} is the last admin's key of all galleries; remove the others first"
            )
        self._store.run("SET", KEYED, "1")
        self._store.run("HDEL", KEYS, identifier)
        return keys[identifier]

    def holder(self, token: str) -> Key | None:
        """Return the key that a secret opens, if it does; in constant time."""
        parts = token.strip().split("_", 2)
        if len(parts) != 3 or parts[0] != _PREFIX:
            return None
        stored = self._store.run("HGET", KEYS, parts[1])
        if stored is None:
            return None
        key, digest = _read(stored)
        return key if secrets.compare_digest(digest, _digest(parts[2])) else None

    def sign_in(self, key: Key, seconds: float) -> str:
        """Begin a session of a browser and return its secret."""
        token = secrets.token_urlsafe(32)
        self._store.run("SET", _session(token), key.id, "EX", max(1, round(seconds)))
        return token

    def signed_in(self, token: str, seconds: float) -> Key | None:
        """Return the key of a session that lasts, and let it last on."""
        found = self._store.run("GETEX", _session(token), "EX", max(1, round(seconds)))
        stored = self._store.run("HGET", KEYS, found) if found else None
        return _read(stored)[0] if stored else None

    def still(self, person: Person) -> bool:
        """Return whether somebody who got in would get in yet: their key was not removed."""
        if not person.key:
            return not self.any()
        return bool(self._store.run("HEXISTS", KEYS, person.key))

    def sign_out(self, token: str) -> None:
        """End a session."""
        self._store.run("DEL", _session(token))

    def failed(self, token: str, address: str, most: int) -> bool:
        """Count a wrong key; return whether too many of its kind came from an address before.

        Only wrong ones are counted and refused, each by the part before its secret and by where it
        came from, so that nobody locks out who has the right one.
        """
        WRONG_KEYS.inc()
        parts = token.strip().split("_", 2)
        known = len(parts) == 3 and self._store.run("HEXISTS", KEYS, parts[1])
        name = f"resight:failed:{parts[1] if known else ''}:{address}"
        self._store.run("SET", name, 0, "NX", "EX", LOCK_SECONDS)
        return int(self._store.run("INCR", name)) > most


def _governed(by: Person | None, key: Key) -> bool:
    return by is None or by.governs(key.galleries)


def _read(stored: bytes) -> tuple[Key, str]:
    told = json.loads(stored)
    digest = told.pop("digest")
    return Key(**{**told, "galleries": tuple(told["galleries"])}), digest


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _session(token: str) -> str:
    return f"resight:session:{_digest(token)}"
