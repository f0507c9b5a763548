"""When enrolments are to be read again from their beginning, and sightings wait meanwhile.

A gallery that was lost, whole or in part, shows itself: the next enrolment of it comes with a
number that lies far above its watermark, and what lies between does not come. That is seen per
gallery and model, by whichever replica gets its enrolments, so a lost gallery is refilled whole
however many replicas there are.
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

# Several registries publish out of order: a gap that is younger, or smaller, may close by itself.
PATIENCE_SECONDS = 10.0
FEW = 64
# Sightings wait for a gallery that is being refilled as long as that goes on.
PROGRESS_SECONDS = 30.0
# What the topic has no more comes no sooner for reading it again: ever longer pauses.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 300.0, 6 * 3600.0


@dataclass
class _Gap:
    """A gallery that lacks enrolments below the newest one; times of the clock."""

    missing: int
    since: float
    progress: float


class Refill:
    """Remembers the gaps of galleries; `empty`: nothing is enrolled, so all is read at once."""

    def __init__(self, *, empty: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._gaps: dict[tuple[str, str], _Gap] = {}
        self._asked = empty
        self._due = clock()
        self._pause = FIRST_PAUSE_SECONDS

    def enrolled(self, model: str, gallery: str, missing: int) -> None:
        """Note how many numbers a gallery lacks below the newest one after it has enrolled."""
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
        """How many galleries lack something."""
        return len(self._gaps)

    def rewind(self) -> frozenset[str]:
        """Return the topics that are to be read from their beginning now."""
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
                "gallery %s lacks %d enrolments of model %s; reading the topic of enrolments again "
                "(if that brings them not back, `resight ledger rebuild` publishes them)",
                gallery,
                gap.missing,
                model,
            )
        return ENROLMENTS

    def hold(self) -> frozenset[str]:
        """Return the topics to hold: sightings, while a gallery is being refilled."""
        now = self._clock()
        refilling = any(
            gap.missing > FEW and now - gap.progress < PROGRESS_SECONDS
            for gap in self._gaps.values()
        )
        return SIGHTINGS if refilling else NOTHING
