"""Camtrap DP 1.0 (https://camtrap-dp.tdwg.org): deployments, media and observations of animals.

A media file is the crop of one sighting, as the ledger keeps no photographs; the standard wants a
time for each, and coordinates for each deployment, so what lacks them is left out, and told.
"""

import csv
import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from services.registry.exports.record import Record
from services.registry.spreadsheet import safe
from shared.messages import Place

VERSION = "1.0.2"
_BASE = f"https://raw.githubusercontent.com/tdwg/camtrap-dp/{VERSION}"
_TIME = "%Y-%m-%dT%H:%M:%SZ"

# As the table schemas have them, in their order.
_DEPLOYMENTS = """
deploymentID locationID locationName latitude longitude coordinateUncertainty deploymentStart
deploymentEnd setupBy cameraID cameraModel cameraDelay cameraHeight cameraDepth cameraTilt
cameraHeading detectionDistance timestampIssues baitUse featureType habitat deploymentGroups
deploymentTags deploymentComments
"""
_MEDIA = """
mediaID deploymentID captureMethod timestamp filePath filePublic fileName fileMediatype exifData
favorite mediaComments
"""
_OBSERVATIONS = """
observationID deploymentID mediaID eventID eventStart eventEnd observationLevel observationType
cameraSetupType scientificName count lifeStage sex behavior individualID individualPositionRadius
individualPositionAngle individualSpeed bboxX bboxY bboxWidth bboxHeight classificationMethod
classifiedBy classificationTimestamp classificationProbability observationTags observationComments
"""
DEPLOYMENTS, MEDIA, OBSERVATIONS = (
    tuple(names.split()) for names in (_DEPLOYMENTS, _MEDIA, _OBSERVATIONS)
)


@dataclass(frozen=True)
class Package:
    """The files of a package by their paths, and why sightings are not in it, by their IDs."""

    files: dict[str, bytes]
    left_out: dict[str, str]


def package(found: Sequence[Record], gallery: str, now: datetime) -> Package:
    """Return a gallery as a package."""
    # Any picture of a camera tells where it is, even one that is left out.
    places = {each.deployment: each.place for each in found if each.place is not None}
    cells = {each.deployment: each.cell for each in found if each.place is not None}
    left_out = {each.sighting: reason for each in found if (reason := _lacks(each, places))}
    kept = [each for each in found if each.sighting not in left_out]
    files = {
        "deployments.csv": _table(DEPLOYMENTS, _deployments(kept, places, cells)),
        "media.csv": _table(MEDIA, map(_media, kept)),
        "observations.csv": _table(OBSERVATIONS, _observations(kept)),
    }
    if kept:
        told = _descriptor(kept, places, gallery, now)
        files["datapackage.json"] = (json.dumps(told, indent=2) + "\n").encode()
    return Package(files, left_out)


def _lacks(record: Record, placed: Collection[str]) -> str:
    if record.captured_at is None:
        return "it has no time, which Camtrap DP requires"
    if record.crop is None:
        return "it came without a picture"
    if record.deployment not in placed:
        return (
            f"its deployment {record.deployment!r} has no coordinates, which Camtrap DP requires: "
            "publish a picture of it with GPS, or with latitude and longitude"
        )
    return ""


def _deployments(
    kept: Sequence[Record], places: Mapping[str, Place], cells: Mapping[str, float]
) -> Iterable[dict[str, Any]]:
    by_name: dict[str, list[Record]] = {}
    for each in kept:
        by_name.setdefault(each.deployment, []).append(each)
    for name, seen in sorted(by_name.items()):
        place = places[name]
        yield {
            "deploymentID": name,
            "locationName": name,
            "latitude": place.latitude,
            "longitude": place.longitude,
            "coordinateUncertainty": round(cells[name] * 1000 * 0.71) or None,  # to a corner
            "deploymentStart": _time(min(_taken(each) for each in seen)),
            "deploymentEnd": _time(max(_taken(each) for each in seen)),
            "deploymentComments": "start and end are those of its first and last sighting",
        }


def _media(record: Record) -> dict[str, Any]:
    box = ", ".join(f"{part:.4f}" for part in record.box)
    return {
        "mediaID": record.sighting,
        "deploymentID": record.deployment,
        "captureMethod": "activityDetection",
        "timestamp": _time(_taken(record)),
        "filePath": record.picture,
        "filePublic": "false",
        "fileName": record.picture.rpartition("/")[2],
        "fileMediatype": "image/jpeg",
        "mediaComments": f"cut out of the photograph {record.image} at {box}",
    }


def _observations(kept: Sequence[Record]) -> Iterable[dict[str, Any]]:
    for each in kept:
        by_person = each.actor != "registry"
        yield {
            "observationID": each.sighting,
            "deploymentID": each.deployment,
            "mediaID": each.sighting,
            "eventID": each.sequence or each.image,
            "eventStart": _time(_taken(each)),
            "eventEnd": _time(_taken(each)),
            "observationLevel": "media",
            "observationType": "animal",
            "scientificName": each.species,
            "count": 1,
            "individualID": each.name,
            "classificationMethod": "human" if by_person else "machine",
            "classifiedBy": each.actor if by_person else "Resight",
            "classificationTimestamp": _time(each.decided_at),
            "classificationProbability": None if by_person else f"{each.probability:.4f}",
            "observationTags": f"viewpoint:{each.viewpoint}" if each.viewpoint else None,
        }


def _descriptor(
    kept: Sequence[Record], places: Mapping[str, Place], gallery: str, now: datetime
) -> dict[str, Any]:
    times = sorted(map(_taken, kept))
    cameras = [places[each.deployment] for each in kept]
    west, east = (pick(each.longitude for each in cameras) for pick in (min, max))
    south, north = (pick(each.latitude for each in cameras) for pick in (min, max))
    corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "resources": [
            {
                "name": name,
                "path": f"{name}.csv",
                "profile": "tabular-data-resource",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "schema": f"{_BASE}/{name}-table-schema.json",
            }
            for name in ("deployments", "media", "observations")
        ],
        "profile": f"{_BASE}/camtrap-dp-profile.json",
        "name": "resight-" + gallery.replace("/", "-"),
        "id": str(uuid5(NAMESPACE_URL, f"resight/{gallery}/{now:%Y%m%dT%H%M%S}")),
        "created": _time(now),
        "title": f"Identified sightings of {gallery}",
        "contributors": [{"title": "Exported by Resight", "role": "contributor"}],
        "version": "1.0",
        "project": {
            "title": f"Individuals of {gallery}",
            "samplingDesign": "opportunistic",
            "captureMethod": ["activityDetection"],
            "individualAnimals": True,
            "observationLevel": ["media"],
        },
        "spatial": {"type": "Polygon", "coordinates": [corners]},
        "temporal": {"start": f"{times[0]:%Y-%m-%d}", "end": f"{times[-1]:%Y-%m-%d}"},
        "taxonomic": [{"scientificName": name} for name in sorted({e.species for e in kept})],
    }


def _table(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: safe(value) for name, value in row.items()})
    return text.getvalue().encode()


def _taken(record: Record) -> datetime:
    if record.captured_at is None:
        raise ValueError(f"{record.sighting} has no time")
    return record.captured_at


def _time(at: datetime) -> str:
    return at.strftime(_TIME)
