"""The configuration of an object: plain values reachable through its attributes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

OURS = ("services.", "shared.", "catalogue.", "recognition.")
PLAIN = (bool, int, float, str, Path, type(None))


def configuration(root: Any) -> dict[str, Any]:
    """Return all plain values of an object of ours and of those it holds, by their paths."""
    return dict(_walk(root, "", set()))


def _walk(value: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, PLAIN):
        yield path, value
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, tuple | list):
        for index, each in enumerate(value):
            yield from _walk(each, f"{path}[{index}]", seen)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _walk(each, f"{path}[{name}]", seen)
    elif type(value).__module__.startswith(OURS):
        yield f"{path}:", type(value).__name__
        for name, each in vars(value).items():
            yield from _walk(each, f"{path}.{name}", seen)
