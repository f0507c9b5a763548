"""An export format: its name, its label, and the files it makes of a gallery's records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.registry.exports.pieces import Pieces
from services.registry.exports.record import Record, Records


@dataclass(frozen=True)
class ExportRequest:
    """What to export: a format's name, a gallery, the time, and the days of an occasion."""

    kind: str
    gallery: str
    now: datetime
    days: int = 1


def _nothing_lacks(_: Record) -> str:
    return ""


@dataclass(frozen=True)
class Files:
    """The files of an export by path, and why a record is left out of them ('': it is not)."""

    files: Mapping[str, Pieces]
    lacks: Callable[[Record], str] = _nothing_lacks


@dataclass(frozen=True)
class ExportFormat:
    """One format. `label` is shown to people, `files` makes the files."""

    name: str
    label: str
    files: Callable[[Records, ExportRequest], Files]
