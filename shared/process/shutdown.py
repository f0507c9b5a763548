"""Graceful shutdown with a deadline."""

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
    """Shutdown request by SIGTERM, SIGINT or `request`.

    A signal also starts a deadline: after `drain_seconds` the process exits with os.EX_TEMPFAIL
    (75) without committing.
    """

    def __init__(self, drain_seconds: float) -> None:
        self._drain_seconds = drain_seconds
        self._requested = threading.Event()
        self._clock: threading.Timer | None = None

    @property
    def requested(self) -> bool:
        """Whether to stop taking work."""
        return self._requested.is_set()

    def request(self) -> None:
        """Request shutdown from any thread, without a deadline."""
        self._requested.set()

    def wait(self, seconds: float) -> bool:
        """Sleep until shutdown is requested, at most; return whether it was."""
        return self._requested.wait(seconds)

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Handle signals within the block, if in the main thread."""
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
            "not finished %s s after the signal: exiting without committing; the batch will be "
            "redelivered (RESIGHT_STAGE_DRAIN_SECONDS)",
            self._drain_seconds,
        )
        os._exit(os.EX_TEMPFAIL)
