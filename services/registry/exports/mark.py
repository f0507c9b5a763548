"""Capture histories for MARK (http://www.phidot.org/software/mark): 0 and 1 per animal."""

from services.registry.exports.format import ExportFormat, ExportRequest, Files
from services.registry.exports.occasions import occasions, plain, timed
from services.registry.exports.pieces import Pieces, lines
from services.registry.exports.record import Records


def mark(found: Records, days: int) -> Pieces:
    """Yield an .inp file: one history per animal, over occasions of this many days."""
    those = occasions(found, days)
    histories: dict[str, bytearray] = {}
    for each, at in timed(found):
        history = histories.setdefault(each.name, bytearray(b"0" * those.count))
        history[those.number(at)] = ord("1")
    yield from lines([f"/* {those.count} occasions of {days} days from {those.first:%Y-%m-%d} */"])
    yield from lines(
        f"/* {plain(name)} */ {told.decode()} 1;" for name, told in sorted(histories.items())
    )


def _files(found: Records, request: ExportRequest) -> Files:
    return Files({"histories.inp": mark(found, request.days)})


FORMAT = ExportFormat("mark", "MARK", _files)
