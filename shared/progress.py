"""Progress of long work, and notes about it: a command shows them, a notebook logs them."""

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)


class Progress(Protocol):
    """Shows the progress of work and notes about it."""

    def watch(self, items: Iterable[T], what: str, total: int) -> Iterable[T]:
        """Yield the items; `what` is done with `total` of them."""
        ...

    def bar(self, what: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """Give a function that takes the number done and the total."""
        ...

    def note(self, text: str) -> None:
        """Show one line, such as what was skipped and why."""
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
