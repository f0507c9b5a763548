"""Camtrap DP 1.0 (https://camtrap-dp.tdwg.org): a folder with datapackage.json and its tables."""

import json
from collections.abc import Mapping
from pathlib import Path

from catalogue.reading.columns import Row
from catalogue.reading.csv_tables import records
from catalogue.reading.limits import Limits
from catalogue.reading.listing import ForeignError, LeftOut, Listing

DESCRIPTOR = "datapackage.json"
_TABLES = ("deployments", "media", "observations")
# Tags of Resight's own packages.
_VIEWPOINT = "viewpoint:"


def is_package(folder: Path) -> bool:
    """Return whether a folder holds such a package."""
    return (folder / DESCRIPTOR).is_file()


def read(folder: Path, limits: Limits) -> Listing:
    """Return the observations of animals in the media of a package.

    Raises:
        ForeignError: a table is missing or damaged.
    """
    paths = _paths(folder, limits)
    deployments, media = (
        {row.get(f"{one}ID", ""): row for _, row in records(paths[name], limits)}
        for one, name in (("deployment", "deployments"), ("media", "media"))
    )
    rows: list[Row] = []
    left: list[LeftOut] = []
    seen: set[str] = set()
    for line, told in records(paths["observations"], limits):
        where = f"{paths['observations'].name}, line {line}"
        shown = media.get(told.get("mediaID", ""))
        if reason := _lacks(told, shown):
            left.append(LeftOut(where, reason))
        elif shown is not None:
            seen.add(told["mediaID"])
            place = deployments.get(shown.get("deploymentID") or told.get("deploymentID", ""), {})
            rows.append(_row(told, shown, place))
    observed = seen | {
        told.get("mediaID", "") for _, told in records(paths["observations"], limits)
    }
    left += [
        LeftOut(f"{paths['media'].name}, {name}", "it is marked as blank")
        for name in media
        if name not in observed
    ]
    return Listing("Camtrap DP", rows, left)


def _paths(folder: Path, limits: Limits) -> dict[str, Path]:
    limits.check_text(folder / DESCRIPTOR)
    try:
        data = (folder / DESCRIPTOR).read_bytes()
        limits.check_values(folder / DESCRIPTOR, data)
        told = json.loads(data)
        resources = {each["name"]: each for each in told["resources"]}
        found = {name: folder / str(resources[name]["path"]) for name in _TABLES}
    except ForeignError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ForeignError(
            f"{folder / DESCRIPTOR} names no {', '.join(_TABLES)}: {type(error).__name__} {error}"
        ) from error
    for path in found.values():
        if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
            raise ForeignError(f"{folder} has no table {path.name}, which its package names")
    return found


def _lacks(told: Mapping[str, str], media: Mapping[str, str] | None) -> str:
    kind = told.get("observationType", "")
    if kind != "animal":
        return f"it observes {kind or 'nothing'}, not an animal"
    if not told.get("mediaID"):
        return "it is about an event, not about a picture"
    if media is None:
        return f"it refers to media {told['mediaID']!r}, which is not listed"
    path = media.get("filePath", "")
    if "://" in path:
        return f"its picture {path} is on the web, not in the package; download it first"
    if not media.get("fileMediatype", "image/").startswith("image/"):
        return f"its media is {media['fileMediatype']}, not a picture"
    return ""


def _row(told: Mapping[str, str], media: Mapping[str, str], place: Mapping[str, str]) -> Row:
    tags = [tag.strip() for tag in told.get("observationTags", "").split("|")]
    sides = [tag.removeprefix(_VIEWPOINT) for tag in tags if tag.startswith(_VIEWPOINT)]
    row = {
        "path": media.get("filePath", ""),
        "identity": told.get("individualID", ""),
        "species": told.get("scientificName", ""),
        "viewpoint": sides[0] if sides else "",
        "date": media.get("timestamp", ""),
        "deployment": media.get("deploymentID") or told.get("deploymentID", ""),
        "sequence": told.get("eventID", ""),
        "latitude": place.get("latitude", ""),
        "longitude": place.get("longitude", ""),
    }
    boxes = ("bboxX", "bboxY", "bboxWidth", "bboxHeight")
    if all(told.get(name) for name in boxes):
        row |= {name.casefold(): told[name] for name in boxes}
    return row
