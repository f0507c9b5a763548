"""Access control: API keys with roles and galleries, and browser sessions.

A key is shown once, when it is made; the store keeps its SHA-256. Keys are random, so a plain hash
is safe.
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
# Actors that are not people; no key may have these names.
_RESERVED = frozenset({"registry", "catalogue", "local", "command line", "resight"})
_RESERVED_PREFIX = "import:"


class AccessError(ResightError):
    """A key cannot be made or removed."""


@dataclass(frozen=True)
class Person:
    """The current user and their rights.

    galleries: visible ones; empty: all
    key: the ID of their key; '' without one
    """

    name: str
    role: Role
    galleries: tuple[str, ...] = ()
    key: str = ""

    def may(self, role: Role) -> bool:
        """Return whether they have a role."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def sees(self, gallery: str) -> bool:
        """Return whether they may see a gallery."""
        return not self.galleries or gallery in self.galleries

    def knows_places(self, gallery: str) -> bool:
        """Return whether they may see exact locations of a gallery."""
        return self.may("admin") and self.sees(gallery)

    def governs(self, galleries: Sequence[str]) -> bool:
        """Return whether they may administer what is bound to these galleries; empty: all."""
        return not self.galleries or (bool(galleries) and all(map(self.sees, galleries)))


@dataclass(frozen=True)
class Key:
    """A key as stored: everything but the secret."""

    id: str
    name: str
    role: Role
    galleries: tuple[str, ...]
    made_at: float

    @property
    def person(self) -> Person:
        """The user of this key."""
        return Person(self.name, self.role, self.galleries, self.id)


class Access:
    """Keys and sessions in the ledger's store. Every method may raise Transient."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def any(self) -> bool:
        """Return whether there is or ever was a key.

        Until then, everybody on the API's own machine is an admin.
        """
        return bool(self._store.run("HLEN", KEYS) or self._store.run("EXISTS", KEYED))

    def add(
        self, name: str, role: Role, galleries: Sequence[str] = (), by: Person | None = None
    ) -> str:
        """Make a key and return it; it cannot be shown again.

        by: who makes it; None: somebody on the ledger's machine

        Raises:
            AccessError: the first key is not an admin's; the name is reserved; or they may not make
                it.
        """
        keys = self.made()
        if role != "admin" and not keys:
            raise AccessError("the first key must be an admin's: make that one first")
        if name.casefold() in _RESERVED or name.casefold().startswith(_RESERVED_PREFIX):
            raise AccessError(f"the name {name!r} is reserved; choose another one")
        if by is not None and not by.governs(galleries):
            raise AccessError(
                f"your key is bound to {', '.join(by.galleries)}, so keys that you make must be "
                "bound to some of these"
            )
        if by is not None and any(
            key.name.casefold() == name.casefold() and not _governed(by, key) for key in keys
        ):
            raise AccessError(f"the name {name!r} is taken; choose another one")
        identifier, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        key = Key(identifier, name, role, tuple(galleries), self._now())
        kept = {**asdict(key), "digest": _digest(secret)}
        self._store.run("SET", KEYED, "1")
        self._store.run("HSET", KEYS, identifier, json.dumps(kept))
        return f"{_PREFIX}_{identifier}_{secret}"

    def made(self, by: Person | None = None) -> list[Key]:
        """Return all keys that a user administers, oldest first."""
        stored = self._store.run("HVALS", KEYS)
        found = sorted((_read(each)[0] for each in stored), key=lambda key: (key.made_at, key.id))
        return [key for key in found if _governed(by, key)]

    def remove(self, identifier: str, by: Person | None = None) -> Key:
        """Remove a key and return it; its sessions end.

        Raises:
            AccessError: they administer no such key, or it is the last unbound admin's.
        """
        keys = {key.id: key for key in self.made()}
        if identifier not in keys or not _governed(by, keys[identifier]):
            raise AccessError(f"there is no key {identifier}; `resight keys list` shows them")
        admins = [key.id for key in keys.values() if key.role == "admin" and not key.galleries]
        if admins == [identifier] and len(keys) > 1:
            raise AccessError(
                f"{identifier} is the last admin key for all galleries; remove the others first"
            )
        self._store.run("SET", KEYED, "1")
        self._store.run("HDEL", KEYS, identifier)
        return keys[identifier]

    def holder(self, token: str) -> Key | None:
        """Return the key of a secret, if valid; in constant time."""
        parts = token.strip().split("_", 2)
        if len(parts) != 3 or parts[0] != _PREFIX:
            return None
        stored = self._store.run("HGET", KEYS, parts[1])
        if stored is None:
            return None
        key, digest = _read(stored)
        return key if secrets.compare_digest(digest, _digest(parts[2])) else None

    def sign_in(self, key: Key, seconds: float) -> str:
        """Start a browser session and return its secret."""
        token = secrets.token_urlsafe(32)
        self._store.run("SET", _session(token), key.id, "EX", max(1, round(seconds)))
        return token

    def signed_in(self, token: str, seconds: float) -> Key | None:
        """Return the key of a valid session, and extend it."""
        found = self._store.run("GETEX", _session(token), "EX", max(1, round(seconds)))
        stored = self._store.run("HGET", KEYS, found) if found else None
        return _read(stored)[0] if stored else None

    def still(self, person: Person) -> bool:
        """Return whether a user's key is still valid."""
        if not person.key:
            return not self.any()
        return bool(self._store.run("HEXISTS", KEYS, person.key))

    def sign_out(self, token: str) -> None:
        """End a session."""
        self._store.run("DEL", _session(token))

    def failed(self, token: str, address: str, most: int) -> bool:
        """Count a wrong key; return whether the address sent too many of its kind before.

        Only wrong keys are counted, by address and by the part before the secret, so a right key is
        never locked out.
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
