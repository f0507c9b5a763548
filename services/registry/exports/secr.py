"""Captures and detectors for spatial capture-recapture with R's secr.

See https://CRAN.R-project.org/package=secr.
"""

import math

from services.registry.exports.format import ExportFormat, ExportRequest, Files
from services.registry.exports.occasions import occasions, plain, timed
from services.registry.exports.pieces import Pieces, lines
from services.registry.exports.record import Records

# Metres per degree of latitude; a plane is accurate enough within a study area.
METRES = 111_320.0


def captures(found: Records, days: int) -> Pieces:
    """Yield captures in secr's format: session, animal, occasion, detector."""
    those = occasions(found, days)
    seen = {
        (plain(each.name), those.number(at) + 1, plain(each.deployment))
        for each, at in timed(found)
    }
    yield from lines(["# Session ID Occasion Detector"])
    yield from lines(f"1 {name} {occasion} {detector}" for name, occasion, detector in sorted(seen))


def detectors(found: Records) -> Pieces:
    """Yield the detectors with positions in metres east and north of the south-western corner."""
    places = {each.deployment: each.place for each in found if each.place}
    yield from lines(["# Detector X Y"])
    if places:
        south = min(place.latitude for place in places.values())
        west = min(place.longitude for place in places.values())
        wide = METRES * math.cos(math.radians(south))
        yield from lines(
            f"{plain(name)} {(place.longitude - west) * wide:.1f} "
            f"{(place.latitude - south) * METRES:.1f}"
            for name, place in sorted(places.items())
        )


def _files(found: Records, request: ExportRequest) -> Files:
    return Files({"captures.txt": captures(found, request.days), "detectors.txt": detectors(found)})


FORMAT = ExportFormat("secr", "secr (R)", _files)
