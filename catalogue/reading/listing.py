"""What a foreign catalogue says: rows like those of a metadata.csv, and what it does not say."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalogue.reading.columns import Row


@dataclass(frozen=True)
class LeftOut:
    """A row, file or annotation that is not taken, and why."""

    where: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """Rows whose `path` is relative to the catalogue's folder, and what was left out."""

    format: str
    rows: Sequence[Row]
    left_out: Sequence[LeftOut]
    notes: Sequence[str] = ()


class ForeignError(ValueError):
    """A file is of a known format, but can't be read as one; the text says why."""
