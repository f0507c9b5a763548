"""Progress of long work, and notes about it: a command shows them, a notebook logs them."""

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)


class Progress(Protocol):
    """Shows how far work is, and what somebody should know about it."""

    def watch(self, items: Iterable[T], what: str, total: int) -> Iterable[T]:
        """Yield the items; `what` is done with `total` of them."""
        ...

    def bar(self, what: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """Give a function that is told how much of how much is done."""
        ...

    def note(self, text: str) -> None:
        """Show one line, such as what was left out and why."""
        ...


class LoggedProgress:
    """Logs notes as warnings, and no progress."""

    def watch(self, items: Iterable[T], what: str, total: int) -> Iterable[T]:  # noqa: ARG002
        """Return the items as they are."""
        return items

    def bar(self, what: str) -> AbstractContextManager[Callable[[int, int], None]]:  # noqa: ARG002
        """Return a function that does nothing."""
        return nullcontext(lambda _done, _total: None)

    def note(self, text: str) -> None:
        """Log one line."""
        log.warning("%s", text)


LOGGED = LoggedProgress()
