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
from services.registry.store import Store
from shared.errors import ResightError

Role = Literal["reader", "reviewer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

KEYS = "resight:keys"
LOCK_SECONDS = 15 * 60
_PREFIX = "resight"


class AccessError(ResightError):
    """A key can't be made or removed as asked."""


@dataclass(frozen=True)
class Person:
    """Who asks, and what they may.

    galleries: those that they see; none named: all
    """

    name: str
    role: Role
    galleries: tuple[str, ...] = ()

    def may(self, role: Role) -> bool:
        """Return whether they may do what a role may do."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def sees(self, gallery: str) -> bool:
        """Return whether a gallery is theirs to see."""
        return not self.galleries or gallery in self.galleries


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
        return Person(self.name, self.role, self.galleries)


class Access:
    """Keys and sessions in the ledger's store. Every method may raise Transient."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def any(self) -> bool:
        """Return whether there is a key; without one, whoever reaches the API is its admin."""
        return bool(self._store.run("HLEN", KEYS))

    def add(self, name: str, role: Role, galleries: Sequence[str] = ()) -> str:
        """Make a key and return it; it can't be shown again.

        Raises:
            AccessError: the first key is not an admin's, who alone could make others.
        """
        if role != "admin" and not self.any():
            raise AccessError("the first key must be an admin's: make that one, then others")
        identifier, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        key = Key(identifier, name, role, tuple(galleries), self._now())
        kept = {**asdict(key), "digest": _digest(secret)}
        self._store.run("HSET", KEYS, identifier, json.dumps(kept))
        return f"{_PREFIX}_{identifier}_{secret}"

    def made(self) -> list[Key]:
        """Return all keys, the oldest first."""
        stored = self._store.run("HVALS", KEYS)
        return sorted((_read(each)[0] for each in stored), key=lambda key: (key.made_at, key.id))

    def remove(self, identifier: str) -> None:
        """Remove a key; its sessions end with it.

        Raises:
            AccessError: there is none, or it is the last admin's.
        """
        keys = {key.id: key for key in self.made()}
        if identifier not in keys:
            raise AccessError(f"there is no key {identifier}; `resight keys list` shows them")
        admins = [key.id for key in keys.values() if key.role == "admin"]
        if admins == [identifier] and len(keys) > 1:
            raise AccessError(f"{identifier} is the last admin's key; remove the others first")
        self._store.run("HDEL", KEYS, identifier)

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
        stored = found and self._store.run("HGET", KEYS, found)
        return _read(stored)[0] if stored else None

    def sign_out(self, token: str) -> None:
        """End a session."""
        self._store.run("DEL", _session(token))

    def locked(self, address: str, most: int) -> bool:
        """Return whether so many wrong keys came from an address that it has to wait."""
        return int(self._store.run("GET", _failed(address)) or 0) >= most

    def failed(self, address: str) -> None:
        """Count a wrong key."""
        WRONG_KEYS.inc()
        name = _failed(address)
        if self._store.run("INCR", name) == 1:
            self._store.run("EXPIRE", name, LOCK_SECONDS)


def _read(stored: bytes) -> tuple[Key, str]:
    told = json.loads(stored)
    digest = told.pop("digest")
    return Key(**{**told, "galleries": tuple(told["galleries"])}), digest


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _session(token: str) -> str:
    return f"resight:session:{_digest(token)}"


def _failed(address: str) -> str:
    return f"resight:failed:{address}"
