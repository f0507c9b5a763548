"""Raises alerts and posts them: signed, and retried until accepted."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from services.registry.alerts.outbox import AlertOutbox, Delivery
from services.registry.alerts.rule import Alert, Rule, of_decision, of_last_seen, of_questions
from services.registry.alerts.webhook import Network, NotTakenError, post
from services.registry.ledger.overview import GalleryOverview, LedgerOverview
from services.registry.ledger.reader import LedgerReader
from shared.errors import ResightError
from shared.messages import Decision

EVERY_SECONDS = 2.0
ABSENCES_SECONDS = 3600.0
# Rules posted in parallel, and alerts of one rule per turn: a slow address delays only its own
# alerts.
AT_ONCE = 16
IN_A_ROW = 20

log = logging.getLogger(__name__)


class AlertSender:
    """A thread of the API. Any number of replicas may run it: each alert is sent once.

    allowed: private networks that alerts may be sent to
    """

    def __init__(
        self,
        ledger: LedgerReader,
        catalogue: LedgerOverview,
        outbox: AlertOutbox,
        now: Callable[[], float] = time.time,
        allowed: Sequence[Network] = (),
    ) -> None:
        self._ledger = ledger
        self._catalogue = catalogue
        self._outbox = outbox
        self._now = now
        self._allowed = allowed
        self._absences_due = 0.0
        self._pool = ThreadPoolExecutor(AT_ONCE, "alert")
        self._under_way: dict[str, Future[None]] = {}

    def start(self, closing: threading.Event) -> None:
        """Start; it ends when `closing` is set."""
        threading.Thread(target=self._run, args=(closing,), name="alerts", daemon=True).start()

    def look(self) -> None:
        """Process new entries once, and start sending due alerts. May raise Transient."""
        rules = self._outbox.rules()
        absences = self._now() >= self._absences_due
        for gallery in dict.fromkeys(rule.gallery for rule in rules):
            self._look_at(gallery, [rule for rule in rules if rule.gallery == gallery], absences)
        if absences:
            self._absences_due = self._now() + ABSENCES_SECONDS
        self._send_due({rule.id: rule for rule in rules})

    def settle(self) -> None:
        """Wait until nothing is being posted."""
        wait(self._under_way.values())

    def _run(self, closing: threading.Event) -> None:
        while not closing.wait(EVERY_SECONDS):
            try:
                self.look()
            except ResightError as error:
                log.warning("alerts wait: %s", error)
            except Exception:  # one failing alert must not stop the others
                log.exception("alerts could not be sent")
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _look_at(self, gallery: str, rules: list[Rule], absences: bool) -> None:
        last = self._ledger.count(gallery, "entries")
        seen = self._outbox.position(gallery)
        if last <= seen and not absences:
            return
        decisions = list(self._ledger.decisions(gallery, seen + 1, last))
        found: list[Alert] = []
        with self._catalogue.gallery(gallery) as shown:
            for rule in rules:
                try:
                    found += self._alerts(rule, shown, decisions, absences)
                except (ValueError, KeyError, OverflowError) as error:
                    log.warning("the alert rule %s (%s) is invalid: %s", rule.id, rule.name, error)
        self._outbox.put(found)
        if last > seen:
            self._outbox.looked(gallery, last)

    def _alerts(
        self, rule: Rule, shown: GalleryOverview, decisions: Sequence[Decision], absences: bool
    ) -> Iterator[Alert]:
        """Yield a rule's alerts about a gallery's state and its new decisions."""
        yield from filter(None, (of_decision(rule, each, shown.became) for each in decisions))
        individuals = {each.id: each for each in shown.individuals()}
        if decisions and rule.kind == "question":
            sizes = {name: len(each.sightings) for name, each in individuals.items()}
            yield from of_questions(rule, shown.questions, sizes)
        if absences and rule.kind == "unseen":
            last_seen = {
                name: each.last for name, each in individuals.items() if each.last is not None
            }
            yield from of_last_seen(rule, last_seen, self._now())

    def _send_due(self, rules: dict[str, Rule]) -> None:
        """Start posting due alerts of rules without a post in progress."""
        self._under_way = {name: post for name, post in self._under_way.items() if not post.done()}
        for name, deliveries in self._outbox.due(IN_A_ROW).items():
            if name not in self._under_way and len(self._under_way) < AT_ONCE:
                sending = self._pool.submit(self._send, deliveries, rules.get(name))
                self._under_way[name] = sending

    def _send(self, deliveries: Sequence[Delivery], rule: Rule | None) -> None:
        """Post alerts of one rule in order, until one fails."""
        for delivery in deliveries:
            try:
                if not self._outbox.take(delivery) or not self._sent(delivery, rule):
                    return
            except ResightError as error:  # its lock expires, and it is sent again
                log.warning("could not save the result of alert %s: %s", delivery.id, error)
                return
            except Exception:
                log.exception("alert %s could not be sent", delivery.id)
                return

    def _sent(self, delivery: Delivery, rule: Rule | None) -> bool:
        if rule is None:
            self._outbox.give_up(delivery, "its rule was removed")
            return True
        try:
            post(rule.url, rule.secret, delivery.what, self._now(), self._allowed)
        except NotTakenError as error:
            self._outbox.failed(delivery, str(error))
            return False
        self._outbox.sent(delivery)
        return True
