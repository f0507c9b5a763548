"""Sizes of the ledger for the metrics, counted when scraped."""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import Gauge

from services.registry import metrics
from services.registry.ledger.reader import LedgerReader
from shared.errors import ResightError

# A count takes four commands per gallery, so results are cached for this long.
EVERY_SECONDS = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counts:
    """Totals over all galleries; NaN: the ledger does not respond."""

    galleries: float = math.nan
    individuals: float = math.nan
    enrolments: float = math.nan
    questions: float = math.nan
    unpublished: float = math.nan


class LedgerGauges:
    """The latest counts. Thread-safe; a scrape never fails because of the ledger."""

    def __init__(self, ledger: LedgerReader, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._clock = clock
        self._counted = Counts()
        self._due = float("-inf")
        self._lock = threading.Lock()

    def counts(self) -> Counts:
        """Return the counts, at most `EVERY_SECONDS` old."""
        with self._lock:
            if self._clock() >= self._due:
                self._counted = self._count()
                self._due = self._clock() + EVERY_SECONDS
            return self._counted

    def publish(self) -> None:
        """Register the gauges."""
        told: dict[Gauge, Callable[[Counts], float]] = {
            metrics.GALLERIES: lambda counts: counts.galleries,
            metrics.INDIVIDUALS: lambda counts: counts.individuals,
            metrics.ENROLMENTS: lambda counts: counts.enrolments,
            metrics.QUESTIONS: lambda counts: counts.questions,
            metrics.UNPUBLISHED: lambda counts: counts.unpublished,
        }
        for gauge, of in told.items():
            gauge.set_function(lambda of=of: of(self.counts()))  # type: ignore[misc]

    def _count(self) -> Counts:
        try:
            galleries = self._ledger.galleries()
            totals = [
                sum(self._ledger.count(gallery, what) for gallery in galleries)
                for what in ("individuals", "enrolments", "questions", "outbox")
            ]
        except ResightError as error:
            log.warning("could not count the ledger's contents: %s", error)
            return Counts()
        return Counts(len(galleries), *totals)
