"""Camtrap DP 1.0 (https://camtrap-dp.tdwg.org): deployments, media and observations.

A media file is the crop of one sighting, because the ledger keeps no photographs. The standard
requires times and coordinates, so records without them are skipped and listed.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from services.registry.exports.format import ExportFormat, ExportRequest, Files
from services.registry.exports.pieces import Pieces, lines, table
from services.registry.exports.record import Record, Records, Where

VERSION = "1.0.2"
_BASE = f"https://raw.githubusercontent.com/tdwg/camtrap-dp/{VERSION}"
_TIME = "%Y-%m-%dT%H:%M:%SZ"

# Columns in the order of the table schemas.
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


@dataclass
class _Camera:
    """A package's data about one deployment."""

    place: Where
    cell: float
    first: datetime | None = None
    last: datetime | None = None

    def saw(self, at: datetime) -> None:
        self.first = min(self.first or at, at)
        self.last = max(self.last or at, at)


def package(found: Records, request: ExportRequest) -> Files:
    """Return a gallery as a package."""
    # Any picture of a camera gives its location, even a skipped one.
    cameras = {
        each.deployment: _Camera(each.place, each.cell) for each in found if each.place is not None
    }

    def lacks(record: Record) -> str:
        return _lacks(record, cameras)

    species: set[str] = set()
    for each in found:
        if each.individual and not lacks(each):
            cameras[each.deployment].saw(_taken(each))
            species.add(each.species)
    seen = {name: camera for name, camera in cameras.items() if camera.first}

    def kept() -> Iterator[Record]:
        return (each for each in found if each.individual and not lacks(each))

    files = {
        "deployments.csv": _table(DEPLOYMENTS, _deployments(seen)),
        "media.csv": _table(MEDIA, map(_media, kept())),
        "observations.csv": _table(OBSERVATIONS, map(_observation, kept())),
    }
    if seen:
        told = _descriptor(seen, sorted(species), request.gallery, request.now)
        files["datapackage.json"] = lines([json.dumps(told, indent=2)])
    return Files(files, lambda record: lacks(record) if record.individual else "")


def _lacks(record: Record, placed: Collection[str]) -> str:
    if record.captured_at is None:
        return "it has no time, which Camtrap DP requires"
    if record.crop is None:
        return "it has no picture"
    if record.deployment not in placed:
        return (
            f"its deployment {record.deployment!r} has no coordinates, which Camtrap DP requires: "
            "publish a picture of it with GPS, or with latitude and longitude"
        )
    return ""


def _deployments(cameras: Mapping[str, _Camera]) -> Iterable[dict[str, Any]]:
    for name, camera in sorted(cameras.items()):
        yield {
            "deploymentID": name,
            "locationName": name,
            "latitude": camera.place.latitude,
            "longitude": camera.place.longitude,
            # From the centre of a cell to its corner.
            "coordinateUncertainty": round(camera.cell * 1000 * 0.71) or None,
            "deploymentStart": _time(camera.first) if camera.first else None,
            "deploymentEnd": _time(camera.last) if camera.last else None,
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


def _observation(record: Record) -> dict[str, Any]:
    by_person = record.actor != "registry"
    return {
        "observationID": record.sighting,
        "deploymentID": record.deployment,
        "mediaID": record.sighting,
        "eventID": record.sequence or record.image,
        "eventStart": _time(_taken(record)),
        "eventEnd": _time(_taken(record)),
        "observationLevel": "media",
        "observationType": "animal",
        "scientificName": record.species,
        "count": 1,
        "individualID": record.name,
        "classificationMethod": "human" if by_person else "machine",
        "classifiedBy": record.actor if by_person else "Resight",
        "classificationTimestamp": _time(record.decided_at),
        "classificationProbability": None if by_person else f"{record.probability:.4f}",
        "observationTags": f"viewpoint:{record.viewpoint}" if record.viewpoint else None,
    }


def _descriptor(
    cameras: Mapping[str, _Camera], species: Sequence[str], gallery: str, now: datetime
) -> dict[str, Any]:
    begun = min(each.first for each in cameras.values() if each.first)
    ended = max(each.last for each in cameras.values() if each.last)
    places = [each.place for each in cameras.values()]
    west, east = (pick(each.longitude for each in places) for pick in (min, max))
    south, north = (pick(each.latitude for each in places) for pick in (min, max))
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
        "temporal": {"start": f"{begun:%Y-%m-%d}", "end": f"{ended:%Y-%m-%d}"},
        "taxonomic": [{"scientificName": name} for name in species],
    }


def _table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Pieces:
    return table(columns, ([row.get(name) for name in columns] for row in rows))


def _taken(record: Record) -> datetime:
    if record.captured_at is None:
        raise ValueError(f"{record.sighting} has no time")
    return record.captured_at


def _time(at: datetime) -> str:
    return at.strftime(_TIME)


FORMAT = ExportFormat("camtrap-dp", "Camtrap DP", package)
