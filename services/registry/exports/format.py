"""Interface of an export format: name, label, and the files it makes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.registry.exports.pieces import Pieces
from services.registry.exports.record import Record, Records


@dataclass(frozen=True)
class ExportRequest:
    """What to export: format, gallery, time, and the days of an occasion."""

    kind: str
    gallery: str
    now: datetime
    days: int = 1


def _nothing_lacks(_: Record) -> str:
    return ""


@dataclass(frozen=True)
class Files:
    """Files of an export by path, and why a record is skipped ('': it is not)."""

    files: Mapping[str, Pieces]
    lacks: Callable[[Record], str] = _nothing_lacks


@dataclass(frozen=True)
class ExportFormat:
    """A format. `label` is shown to people, `files` makes the files."""

    name: str
    label: str
    files: Callable[[Records, ExportRequest], Files]
