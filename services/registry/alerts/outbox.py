"""Rules and what was told by them, in the ledger's store. Every method may raise Transient."""

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from services.registry.alerts.rule import Alert, Rule, RuleSpec, fault
from services.registry.ledger.store import Store
from shared.errors import ResightError

RULES = "resight:alerts:rules"
POSITIONS = "resight:alerts:positions"
DELIVERIES = "resight:alerts:deliveries"
DUE = "resight:alerts:due"
LATEST = "resight:alerts:latest"

# Pauses between attempts: seconds, then minutes, then hours; after a day it is given up.
PAUSES = (5, 30, 120, 600, 3600, 4 * 3600, 8 * 3600, 12 * 3600)
# So many are remembered, and so many are read at once.
KEPT = 10_000
CHUNK = 200
# Whoever sends has so long before another replica tries.
SENDING_SECONDS = 60

State = Literal["waiting", "sent", "given up"]


class AlertError(ResightError):
    """A rule can't be as asked for."""


@dataclass(frozen=True)
class Delivery:
    """One alert on its way, and how that goes."""

    id: str
    rule: str
    what: dict[str, Any]
    state: State
    attempts: int
    noticed_at: float
    told: str = ""


class AlertOutbox:
    """What is to be told, told, and by which rules."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def add(self, wanted: RuleSpec, made_by: str, last: int) -> Rule:
        """Make a rule. What was decided before, up to entry `last` of its gallery, is not told.

        Raises:
            AlertError: it makes no sense.
        """
        if wrong := fault(wanted):
            raise AlertError(wrong)
        identifier, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        rule = Rule(
            **asdict(wanted), id=identifier, secret=secret, made_by=made_by, made_at=self._now()
        )
        if all(each.gallery != wanted.gallery for each in self.rules()):
            self.looked(wanted.gallery, last)
        self._store.run("HSET", RULES, identifier, json.dumps(asdict(rule)))
        return rule

    def remove(self, identifier: str) -> None:
        """Remove a rule; what it has noticed is still told.

        Raises:
            AlertError: there is none.
        """
        if not self._store.run("HDEL", RULES, identifier):
            raise AlertError(f"there is no rule {identifier}")

    def rules(self) -> list[Rule]:
        """Return all rules, the oldest first."""
        found = [Rule(**json.loads(each)) for each in self._store.run("HVALS", RULES)]
        return sorted(found, key=lambda rule: (rule.made_at, rule.id))

    def position(self, gallery: str) -> int:
        """Return up to which entry a gallery with rules was looked at."""
        return int(self._store.run("HGET", POSITIONS, gallery) or 0)

    def looked(self, gallery: str, number: int) -> None:
        """Note that a gallery was looked at up to an entry."""
        self._store.run("HSET", POSITIONS, gallery, number)

    def put(self, alerts: Sequence[Alert]) -> None:
        """Take alerts that were not noticed before."""
        for number, alert in enumerate(alerts):
            now = self._now() - (len(alerts) - number) * 1e-6  # they stay in their order
            delivery = Delivery(alert.id, alert.rule, alert.what, "waiting", 0, now)
            kept = json.dumps(asdict(delivery))
            if self._store.run("HSETNX", DELIVERIES, alert.id, kept):
                self._store.run("ZADD", DUE, repr(now), alert.id)
                self._store.run("ZADD", LATEST, repr(now), alert.id)
        self._forget()

    def due(self, most_of_a_rule: int) -> dict[str, list[Delivery]]:
        """Return deliveries whose time has come, by rule, the longest due first."""
        found: dict[str, list[Delivery]] = {}
        offset = 0
        while True:
            limit = "LIMIT", offset, CHUNK
            names = self._store.run("ZRANGEBYSCORE", DUE, "-inf", repr(self._now()), *limit)
            if not names:
                return found
            offset += len(names)
            stored = self._store.run("HMGET", DELIVERIES, *names)
            for name, told in zip(names, stored, strict=True):
                if told is None:
                    self._store.run("ZREM", DUE, name)
                    continue
                delivery = Delivery(**json.loads(told))
                some = found.setdefault(delivery.rule, [])
                if len(some) < most_of_a_rule:
                    some.append(delivery)

    def take(self, delivery: Delivery) -> bool:
        """Take a due delivery for a while; return whether no other replica has it, or had it."""
        lock = f"resight:alerts:sending:{delivery.id}"
        if not self._store.run("SET", lock, "1", "NX", "EX", SENDING_SECONDS):
            return False
        due = self._store.run("ZSCORE", DUE, delivery.id)
        return due is not None and float(due) <= self._now()

    def sent(self, delivery: Delivery) -> None:
        """Note that it was taken."""
        self._keep(replace(delivery, state="sent", attempts=delivery.attempts + 1, told=""), None)

    def failed(self, delivery: Delivery, why: str) -> None:
        """Note that it was not taken, and when it is tried again."""
        attempts = delivery.attempts + 1
        if attempts > len(PAUSES):
            self.give_up(replace(delivery, attempts=attempts), why)
            return
        later = self._now() + PAUSES[attempts - 1]
        self._keep(replace(delivery, attempts=attempts, told=why), later)

    def give_up(self, delivery: Delivery, why: str) -> None:
        """Note that it is not tried again by itself."""
        self._keep(replace(delivery, state="given up", told=why), None)

    def again(self, identifier: str) -> None:
        """Let an alert be sent again at once, and for as long as at first.

        Raises:
            AlertError: there is none.
        """
        found = self.delivery(identifier)
        if found is None:
            raise AlertError(f"there is no alert {identifier}")
        self._keep(replace(found, state="waiting", attempts=0, told=""), self._now())

    def delivery(self, identifier: str) -> Delivery | None:
        """Return one delivery, if it is remembered."""
        stored = self._store.run("HGET", DELIVERIES, identifier)
        return None if stored is None else Delivery(**json.loads(stored))

    def latest(self, most: int = 100) -> list[Delivery]:
        """Return the latest deliveries, the newest first."""
        names = self._store.run("ZREVRANGE", LATEST, 0, most - 1)
        stored = self._store.run("HMGET", DELIVERIES, *names) if names else []
        return [Delivery(**json.loads(each)) for each in stored if each]

    def _keep(self, delivery: Delivery, due: float | None) -> None:
        self._store.run("HSET", DELIVERIES, delivery.id, json.dumps(asdict(delivery)))
        if due is None:
            self._store.run("ZREM", DUE, delivery.id)
        else:
            self._store.run("ZADD", DUE, repr(due), delivery.id)
        self._store.run("DEL", f"resight:alerts:sending:{delivery.id}")

    def _forget(self) -> None:
        """Forget the oldest that are done with."""
        for name in self._store.run("ZRANGE", LATEST, 0, -KEPT - 1):
            if self._store.run("ZSCORE", DUE, name) is None:
                self._store.run("ZREM", LATEST, name)
                self._store.run("HDEL", DELIVERIES, name)
