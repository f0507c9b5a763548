"""Waits for conditions, never for time."""

import time
from collections.abc import Callable

SECONDS = 90.0


def wait_until(
    holds: Callable[[], object],
    seconds: float = SECONDS,
    *,
    told: Callable[[], str] = lambda: "",
    pause: float = 0.02,
) -> None:
    """Return when a condition holds; `told` describes the state if it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so within {seconds:g} s: {told()}"
        time.sleep(pause)
