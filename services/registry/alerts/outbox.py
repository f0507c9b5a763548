"""Alert rules and deliveries, in the ledger's store. Every method may raise Transient."""

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

# Pauses between attempts: seconds, then minutes, then hours; it is given up after a day.
PAUSES = (5, 30, 120, 600, 3600, 4 * 3600, 8 * 3600, 12 * 3600)
# Number of deliveries kept, and read at once.
KEPT = 10_000
CHUNK = 200
# Lock on a delivery; afterwards another replica tries.
SENDING_SECONDS = 60

State = Literal["waiting", "sent", "given up"]


class AlertError(ResightError):
    """A rule is invalid."""


@dataclass(frozen=True)
class Delivery:
    """One alert and the state of its delivery."""

    id: str
    rule: str
    what: dict[str, Any]
    state: State
    attempts: int
    noticed_at: float
    told: str = ""


class AlertOutbox:
    """Rules, and alerts to be sent or sent."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def add(self, wanted: RuleSpec, made_by: str, last: int) -> Rule:
        """Add a rule. It ignores decisions up to entry `last` of its gallery.

        Raises:
            AlertError: it is invalid.
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
        """Remove a rule; alerts already raised are still sent.

        Raises:
            AlertError: there is no such rule.
        """
        if not self._store.run("HDEL", RULES, identifier):
            raise AlertError(f"there is no rule {identifier}")

    def rules(self) -> list[Rule]:
        """Return all rules, oldest first."""
        found = [Rule(**json.loads(each)) for each in self._store.run("HVALS", RULES)]
        return sorted(found, key=lambda rule: (rule.made_at, rule.id))

    def position(self, gallery: str) -> int:
        """Return up to which entry a gallery with rules was processed."""
        return int(self._store.run("HGET", POSITIONS, gallery) or 0)

    def looked(self, gallery: str, number: int) -> None:
        """Store up to which entry a gallery was processed."""
        self._store.run("HSET", POSITIONS, gallery, number)

    def put(self, alerts: Sequence[Alert]) -> None:
        """Add alerts, except those added before."""
        for number, alert in enumerate(alerts):
            now = self._now() - (len(alerts) - number) * 1e-6  # in order
            delivery = Delivery(alert.id, alert.rule, alert.what, "waiting", 0, now)
            kept = json.dumps(asdict(delivery))
            if self._store.run("HSETNX", DELIVERIES, alert.id, kept):
                self._store.run("ZADD", DUE, repr(now), alert.id)
                self._store.run("ZADD", LATEST, repr(now), alert.id)
        self._forget()

    def due(self, most_of_a_rule: int) -> dict[str, list[Delivery]]:
        """Return deliveries that are due, by rule, the longest due first."""
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
        """Lock a due delivery; return whether no other replica has it or had it."""
        lock = f"resight:alerts:sending:{delivery.id}"
        if not self._store.run("SET", lock, "1", "NX", "EX", SENDING_SECONDS):
            return False
        due = self._store.run("ZSCORE", DUE, delivery.id)
        return due is not None and float(due) <= self._now()

    def sent(self, delivery: Delivery) -> None:
        """Mark it as delivered."""
        self._keep(replace(delivery, state="sent", attempts=delivery.attempts + 1, told=""), None)

    def failed(self, delivery: Delivery, why: str) -> None:
        """Mark an attempt as failed, with the time of the next."""
        attempts = delivery.attempts + 1
        if attempts > len(PAUSES):
            self.give_up(replace(delivery, attempts=attempts), why)
            return
        later = self._now() + PAUSES[attempts - 1]
        self._keep(replace(delivery, attempts=attempts, told=why), later)

    def give_up(self, delivery: Delivery, why: str) -> None:
        """Mark it as given up."""
        self._keep(replace(delivery, state="given up", told=why), None)

    def again(self, identifier: str) -> None:
        """Send an alert again now, with all attempts.

        Raises:
            AlertError: there is no such alert.
        """
        found = self.delivery(identifier)
        if found is None:
            raise AlertError(f"there is no alert {identifier}")
        self._keep(replace(found, state="waiting", attempts=0, told=""), self._now())

    def delivery(self, identifier: str) -> Delivery | None:
        """Return a delivery; None: unknown or forgotten."""
        stored = self._store.run("HGET", DELIVERIES, identifier)
        return None if stored is None else Delivery(**json.loads(stored))

    def latest(self, most: int = 100) -> list[Delivery]:
        """Return the latest deliveries, newest first."""
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
        """Forget the oldest finished ones."""
        for name in self._store.run("ZRANGE", LATEST, 0, -KEPT - 1):
            if self._store.run("ZSCORE", DUE, name) is None:
                self._store.run("ZREM", LATEST, name)
                self._store.run("HDEL", DELIVERIES, name)
