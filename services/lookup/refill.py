"""Decides when enrolments are read again from their beginning, while sightings wait.

A gallery that was lost, whole or in part, shows a gap: the next enrolment's number is far above its
watermark, and the numbers between do not arrive. This is tracked per gallery and model by whichever
replica receives its enrolments, so a lost gallery is refilled whole, whatever the number of
replicas.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from shared.kafka import topics

log = logging.getLogger(__name__)

ENROLMENTS = frozenset({topics.ENROLMENTS})
SIGHTINGS = frozenset({topics.SIGHTINGS})
NOTHING: frozenset[str] = frozenset()

# Several registries publish out of order: younger or smaller gaps may close by themselves.
PATIENCE_SECONDS = 10.0
FEW = 64
# Sightings wait for a gallery being refilled for this long.
PROGRESS_SECONDS = 30.0
# Enrolments that the topic no longer has do not return: pauses grow.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 300.0, 6 * 3600.0


@dataclass
class _Gap:
    """A gallery that lacks enrolments below the newest one; times of the clock."""

    missing: int
    since: float
    progress: float


class Refill:
    """Tracks the gaps of galleries. `empty`: nothing is enrolled, so read everything at once."""

    def __init__(self, *, empty: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._gaps: dict[tuple[str, str], _Gap] = {}
        self._asked = empty
        self._due = clock()
        self._pause = FIRST_PAUSE_SECONDS

    def enrolled(self, model: str, gallery: str, missing: int) -> None:
        """Record how many numbers a gallery lacks below the newest one."""
        now, name = self._clock(), (model, gallery)
        if missing <= 0:
            self._gaps.pop(name, None)
            if not self._gaps:
                self._pause = FIRST_PAUSE_SECONDS
            return
        gap = self._gaps.setdefault(name, _Gap(missing, now, now))
        if missing < gap.missing:
            gap.progress = now
        gap.missing = missing

    @property
    def gaps(self) -> int:
        """Number of galleries with gaps."""
        return len(self._gaps)

    def rewind(self) -> frozenset[str]:
        """Return the topics to read from their beginning now."""
        if self._asked:
            self._asked = False
            return ENROLMENTS
        now = self._clock()
        lasting = [name for name, gap in self._gaps.items() if now - gap.since > PATIENCE_SECONDS]
        if not lasting or now < self._due:
            return NOTHING
        self._due = now + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        for model, gallery in lasting:
            gap = self._gaps[model, gallery]
            gap.progress = now
            log.warning(
                "gallery %s lacks %d enrolments of model %s; reading the topic of enrolments "
                "again (if they do not return, `resight ledger rebuild` publishes them)",
                gallery,
                gap.missing,
                model,
            )
        return ENROLMENTS

    def hold(self) -> frozenset[str]:
        """Return the topics to pause: sightings, while a gallery is being refilled."""
        now = self._clock()
        refilling = any(
            gap.missing > FEW and now - gap.progress < PROGRESS_SECONDS
            for gap in self._gaps.values()
        )
        return SIGHTINGS if refilling else NOTHING
