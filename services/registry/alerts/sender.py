"""Notices what rules ask for, and posts it: signed, and again until it is taken."""

import hashlib
import hmac
import json
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from services.registry.alerts.outbox import AlertOutbox, Delivery
from services.registry.alerts.rule import Alert, Rule, of_decision, of_last_seen, of_questions
from services.registry.catalogue import Catalogue
from services.registry.reading import Reading
from shared.errors import ResightError

EVERY_SECONDS = 2.0
ABSENCES_SECONDS = 3600.0
TIMEOUT_SECONDS = 10.0
SIGNATURE = "X-Resight-Signature"
TIMESTAMP = "X-Resight-Timestamp"

log = logging.getLogger(__name__)


class AlertSender:
    """A thread of the API's. Any number of replicas may run it: each alert is told once."""

    def __init__(
        self,
        ledger: Reading,
        catalogue: Catalogue,
        outbox: AlertOutbox,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._catalogue = catalogue
        self._outbox = outbox
        self._now = now
        self._absences_due = 0.0

    def start(self, closing: threading.Event) -> None:
        """Begin; it ends when `closing` is set."""
        threading.Thread(target=self._run, args=(closing,), name="alerts", daemon=True).start()

    def look(self) -> None:
        """Look once at what is new, and send what is due. May raise Transient."""
        rules = self._outbox.rules()
        absences = self._now() >= self._absences_due
        for gallery in dict.fromkeys(rule.gallery for rule in rules):
            self._look_at(gallery, [rule for rule in rules if rule.gallery == gallery], absences)
        if absences:
            self._absences_due = self._now() + ABSENCES_SECONDS
        secrets = {rule.id: rule for rule in rules}
        for delivery in self._outbox.due():
            self._send(delivery, secrets.get(delivery.rule))

    def _run(self, closing: threading.Event) -> None:
        while not closing.wait(EVERY_SECONDS):
            try:
                self.look()
            except ResightError as error:
                log.warning("alerts wait: %s", error)
            except Exception:  # whatever one alert does, the next ones are told
                log.exception("alerts could not be told")

    def _look_at(self, gallery: str, rules: list[Rule], absences: bool) -> None:
        last = self._ledger.count(gallery, "entries")
        seen = self._outbox.position(gallery)
        found: list[Alert] = []
        if last > seen:
            for decision in self._ledger.decisions(gallery, seen + 1, last):
                found += filter(None, (of_decision(rule, decision) for rule in rules))
        if last > seen or absences:
            with self._catalogue.gallery(gallery) as shown:
                individuals = shown.individuals()
                questions = list(shown.questions)
            sizes = {each.id: len(each.sightings) for each in individuals}
            last_seen = {each.id: each.last for each in individuals}
            for rule in rules:
                if last > seen:
                    found += of_questions(rule, questions, sizes)
                if absences:
                    found += of_last_seen(rule, last_seen, self._now())
        self._outbox.put(found)
        if last > seen:
            self._outbox.looked(gallery, last)

    def _send(self, delivery: Delivery, rule: Rule | None) -> None:
        if rule is None:
            self._outbox.failed(delivery, "its rule was removed")
            return
        try:
            post(rule.url, rule.secret, delivery.what, self._now())
        except (OSError, ValueError) as error:
            self._outbox.failed(delivery, _why(error)[:300])
            return
        self._outbox.sent(delivery)


def _why(error: Exception) -> str:
    if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError):
        return str(error.reason)  # without the brackets of a <urlopen error …>
    return str(error)


def post(url: str, secret: str, what: dict[str, Any], now: float) -> None:
    """Post an alert as JSON, with its signature.

    Raises:
        OSError: it was not taken: no answer, or none of 200 to 299.
    """
    body = json.dumps(what).encode()
    stamp = str(int(now))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Resight",
        TIMESTAMP: stamp,
        SIGNATURE: f"sha256={signature(secret, stamp, body)}",
    }
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310  # see `fault`
    with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as answer:
        answer.read(1)


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Return what proves that an alert comes from here: HMAC-SHA-256 of `<timestamp>.<body>`."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An alert goes where its rule says and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


_OPENER = urllib.request.build_opener(_NoRedirects)
