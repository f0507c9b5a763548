"""Rows of a foreign catalogue, as in a metadata.csv, and what was skipped."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalogue.reading.columns import Row


@dataclass(frozen=True)
class LeftOut:
    """A skipped row, file or annotation, and why."""

    where: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """Rows whose `path` is relative to the catalogue's folder, and what was skipped."""

    format: str
    rows: Sequence[Row]
    left_out: Sequence[LeftOut]
    notes: Sequence[str] = ()


class ForeignError(ValueError):
    """A file of a known format can't be read; the text says why."""
