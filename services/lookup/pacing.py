"""Limits how far lookup runs ahead of decisions.

A candidate list becomes stale with every later enrolment, and a stale list costs the registry
another pass. So new sightings wait while many lists are undecided. Enrolments never wait, because
they end that wait.
"""

import logging
import time
from collections.abc import Callable

from services.lookup.metrics import PACING_FAILURES, UNDECIDED
from shared.errors import Transient
from shared.kafka import topics

log = logging.getLogger(__name__)

HELD = frozenset({topics.SIGHTINGS})
NOTHING: frozenset[str] = frozenset()

# The broker is not queried more often.
READING_SECONDS = 0.05

# Pause after a failed reading: another may block the loop.
RETRY_SECONDS = 5.0


class Pacing:
    """Returns, before each poll, the topics to pause.

    `backlog` returns how many lists are undecided and may raise Transient. Pacing only saves work,
    so without a reading nothing is paused. `clock` is in seconds.
    """

    def __init__(
        self,
        backlog: Callable[[], int],
        max_undecided: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backlog = backlog
        self._max_undecided = max_undecided
        self._clock = clock
        self._next_reading = clock()
        self._undecided = 0
        self._failing = False

    def sent(self, lists: int) -> None:
        """Count lists sent after the last reading."""
        self._undecided += lists

    def __call__(self) -> frozenset[str]:
        """Return the topics to pause now."""
        if self._clock() >= self._next_reading:
            self._read()
        held = not self._failing and self._undecided >= self._max_undecided
        return HELD if held else NOTHING

    def _read(self) -> None:
        try:
            self._undecided = self._backlog()
        except Transient as error:
            if not self._failing:
                log.warning("sightings are not held back because the backlog is unknown: %s", error)
            PACING_FAILURES.inc()
            self._failing = True
            self._next_reading = self._clock() + RETRY_SECONDS
            return
        UNDECIDED.set(self._undecided)
        self._failing = False
        self._next_reading = self._clock() + READING_SECONDS
