"""Ending a process in order: what is in hand is finished, but not for ever."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Shutdown:
    """Whether the process is to end: after SIGTERM, SIGINT or `request`.

    A signal also starts a clock: when `drain_seconds` pass before the process has
    ended, it ends at once with os.EX_TEMPFAIL (75) and nothing more is committed.
    """

    def __init__(self, drain_seconds: float) -> None:
        self._drain_seconds = drain_seconds
        self._requested = threading.Event()
        self._clock: threading.Timer | None = None

    @property
    def requested(self) -> bool:
        """Whether to take no more work."""
        return self._requested.is_set()

    def request(self) -> None:
        """Ask for the end from any thread; starts no clock."""
        self._requested.set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but no longer than until the end is asked for; whether it was."""
        return self._requested.wait(seconds)

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Listen to signals within the block, where that is possible: in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        try:
            yield
        finally:
            for number, action in before.items():
                signal.signal(number, action)
            if self._clock is not None:
                self._clock.cancel()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self._clock is None:
            self._clock = threading.Timer(self._drain_seconds, self._give_up)
            self._clock.daemon = True
            self._clock.start()
        self._requested.set()

    def _give_up(self) -> None:
        log.error(
            "not done %s s after the signal: ending uncommitted; what was in hand comes again "
            "(RESIGHT_STAGE_DRAIN_SECONDS)",
            self._drain_seconds,
        )
        os._exit(os.EX_TEMPFAIL)
