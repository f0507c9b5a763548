"""Limits on concurrent long-running work, in total and per key.

Each takes a thread for up to a minute, and there are about forty; without limits, one user
identifying forty pictures would block everybody.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from fastapi import HTTPException

Turn = Literal["", "ask", "draw", "export"]

AT_ONCE: dict[Turn, int] = {"ask": 8, "draw": 6, "export": 4}
AT_ONCE_OF_ONE = 2
# Retry-After, in seconds.
PAUSE_SECONDS = 5


class Turns:
    """Counts work in progress; for one event loop."""

    def __init__(self) -> None:
        self._all: Counter[Turn] = Counter()
        self._of_one: Counter[tuple[Turn, str]] = Counter()

    @contextmanager
    def of(self, turn: Turn, caller: str) -> Iterator[None]:
        """Hold a turn for the duration of a block; '' needs none.

        Raises:
            HTTPException: too many are in progress.
        """
        if not turn:
            yield
            return
        mine = (turn, caller)
        if self._of_one[mine] >= AT_ONCE_OF_ONE or self._all[turn] >= AT_ONCE[turn]:
            raise HTTPException(
                429,
                f"the limit is {AT_ONCE_OF_ONE} of these at once per key, and {AT_ONCE[turn]} in "
                f"total; wait {PAUSE_SECONDS} s",
                {"Retry-After": str(PAUSE_SECONDS)},
            )
        self._all[turn] += 1
        self._of_one[mine] += 1
        try:
            yield
        finally:
            self._all[turn] -= 1
            self._of_one[mine] -= 1
            if not self._of_one[mine]:
                del self._of_one[mine]
