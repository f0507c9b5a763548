"""Code that runs an event loop of its own, in a thread that has none.

A browser of Playwright's leaves one running in the thread of the tests that come after its own.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def in_own_loop(function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Return what a function does, or raise what it raises, in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args, **options).result()
