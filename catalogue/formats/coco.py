"""COCO for cameras, as MegaDetector's tools, Wildbook and Resight write it.

An annotation's identity is read from `individual_ids`, `individual_id`, `individualID`, `identity`
or `name`, directly or under `attributes`; numbers refer to the list `individuals`, if present.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from catalogue.reading.columns import Row, cell
from catalogue.reading.limits import Limits
from catalogue.reading.listing import ForeignError, LeftOut, Listing

_WHO = ("individual_ids", "individual_id", "individualID", "identity", "name")
_NO_ANIMAL = frozenset({"empty", "human", "person", "people", "vehicle", "blank", "misfire"})
_SIDES = ("viewpoint", "orientation", "view")


def parsed(path: Path, limits: Limits) -> dict[str, Any] | None:
    """Return a parsed COCO file; None: not COCO.

    Raises: ForeignError: the JSON exceeds the limits.
    """
    if path.suffix.casefold() != ".json":
        return None
    limits.check_text(path)
    try:
        data = path.read_bytes()
        limits.check_values(path, data)
        told = json.loads(data)
    except ForeignError:
        raise
    except (OSError, ValueError, RecursionError):
        return None
    found = isinstance(told, dict) and {"images", "annotations"} <= told.keys()
    return told if found else None


def read(path: Path, told: Mapping[str, Any]) -> Listing:
    """Return the annotations of a parsed COCO file.

    Raises:
        ForeignError: it is damaged.
    """
    try:
        images = {image["id"]: image for image in told["images"]}
        kinds = {each["id"]: str(each["name"]) for each in told.get("categories", [])}
        animals = {
            each["id"]: str(each.get("name") or each["id"]) for each in told.get("individuals", [])
        }
        annotations = list(told["annotations"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ForeignError(f"{path} is not a COCO file: {type(error).__name__} {error}") from error
    before = _before(path.parent, [_name(image) for image in images.values()])
    rows: list[Row] = []
    left: list[LeftOut] = []
    for number, each in enumerate(annotations, 1):
        where = f"{path.name}, annotation {each.get('id', number)}"
        image = images.get(each.get("image_id"))
        kind = kinds.get(each.get("category_id"), "")
        if image is None:
            left.append(
                LeftOut(where, f"it refers to image {each.get('image_id')!r}, which is not listed")
            )
        elif kind.casefold() in _NO_ANIMAL:
            left.append(LeftOut(where, f"its category is {kind!r}, which is not an animal"))
        else:
            rows.append(_row(each, image, kind, animals) | {"path": f"{before}{_name(image)}"})
    annotated = {each.get("image_id") for each in annotations}
    left += [
        LeftOut(f"{path.name}, image {image.get('file_name', key)}", "it has no annotations")
        for key, image in images.items()
        if key not in annotated
    ]
    return Listing("COCO", rows, left)


def _row(
    annotation: Mapping[str, Any],
    image: Mapping[str, Any],
    kind: str,
    animals: Mapping[Any, str],
) -> dict[str, str]:
    told = {**annotation.get("attributes", {}), **annotation}
    row = {
        "identity": next(_named(told, animals), ""),
        "species": kind,
        "viewpoint": str(next((told[name] for name in _SIDES if told.get(name)), "")),
        "date": str(image.get("date_captured") or image.get("datetime") or ""),
        "deployment": str(image.get("location") or ""),
        "sequence": str(image.get("seq_id") or ""),
        "latitude": str(image.get("gps_lat") or image.get("gps_lat_captured") or ""),
        "longitude": str(image.get("gps_lon") or image.get("gps_lon_captured") or ""),
    }
    row = {name: cell(text) for name, text in row.items()}
    if annotation.get("bbox"):
        row["bbox"] = json.dumps(annotation["bbox"])
        row |= {name: str(image[name]) for name in ("width", "height") if image.get(name)}
    return row


def _name(image: Mapping[str, Any]) -> str:
    return str(image.get("file_name", ""))


def _before(folder: Path, names: Sequence[str]) -> str:
    """Return the folder of the pictures, which is often beside the file."""
    for before in ("", "images/", "../", "../images/"):
        if any((folder / f"{before}{name}").is_file() for name in names[:20]):
            return before
    return ""


def _named(told: Mapping[str, Any], animals: Mapping[Any, str]) -> Iterator[str]:
    for name in _WHO:
        found = told.get(name)
        for one in found if isinstance(found, list) else [found]:
            if one not in {None, ""}:
                yield animals.get(one, str(one))
