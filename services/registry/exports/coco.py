"""COCO with individuals: one picture and one annotation per sighting."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from services.registry.exports.format import ExportFormat, ExportRequest, Files
from services.registry.exports.pieces import Pieces
from services.registry.exports.record import Record, Records


def coco(found: Records) -> Pieces:
    """Yield annotations.json: pictures are a bundle's crops, so a box covers the whole picture.

    Individuals are listed with their names, and annotations refer to them, as in Wildbook's COCO;
    `attributes` give the crop's position in its photograph.
    """
    names: set[str] = set()
    animals: dict[str, str] = {}
    for each in found:
        names.add(each.species)
        if each.individual:
            animals[each.individual] = each.name
    species = {name: number for number, name in enumerate(sorted(names), 1)}
    numbers = {individual: number for number, individual in enumerate(sorted(animals), 1)}
    yield b'{\n"info": {"description": "Sightings of Resight", "version": "1"},\n"categories": '
    yield from _list({"id": number, "name": name} for name, number in species.items())
    yield b',\n"individuals": '
    yield from _list(
        {"id": numbers[individual], "name": name, "resight_id": individual}
        for individual, name in sorted(animals.items())
    )
    yield b',\n"images": '
    yield from _list(_image(number, each) for number, each in enumerate(found, 1))
    yield b',\n"annotations": '
    yield from _list(
        _annotation(number, each, species[each.species], numbers)
        for number, each in enumerate(found, 1)
    )
    yield b"\n}\n"


def _image(number: int, record: Record) -> dict[str, Any]:
    taken = record.captured_at
    return {
        "id": number,
        "file_name": record.picture,
        "date_captured": taken.strftime("%Y-%m-%d %H:%M:%S") if taken else None,
        "location": record.deployment,
        "seq_id": record.sequence or None,
        "gps_lat": record.place.latitude if record.place else None,
        "gps_lon": record.place.longitude if record.place else None,
    }


def _annotation(
    number: int, record: Record, category: int, numbers: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": number,
        "category_id": category,
        "bbox": [0, 0, 1, 1],
        "individual_ids": [numbers[record.individual]] if record.individual else [],
        "individual_id": record.name,
        "viewpoint": record.viewpoint or None,
        "attributes": {
            "sighting": record.sighting,
            "photograph_sha256": record.image,
            "box_in_photograph": [round(part, 6) for part in record.box],
            "outcome": record.outcome,
            "probability": record.probability,
        },
    }


def _list(items: Iterable[Mapping[str, Any]]) -> Pieces:
    """Yield a JSON array, one item per line."""
    before = "[\n"
    for item in items:
        yield f"{before}{json.dumps(item)}".encode()
        before = ",\n"
    yield b"]" if before != "[\n" else b"[]"


def _files(found: Records, _: ExportRequest) -> Files:
    return Files({"annotations.json": coco(found)})


FORMAT = ExportFormat("coco", "COCO", _files)
