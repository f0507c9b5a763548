"""COCO for cameras: a picture and an annotation for each sighting, with who it is."""

import json
from collections.abc import Iterable, Sequence

from services.registry.exports.record import Record


def coco(found: Sequence[Record]) -> bytes:
    """Return annotations.json: pictures are the crops of a bundle, so a box is all of one.

    Individuals are listed with their names, and annotations refer to them, as in Wildbook's own
    COCO; `attributes` say where in its photograph the crop lies.
    """
    species = {name: number for number, name in enumerate(_sorted(e.species for e in found), 1)}
    animals = {each.individual: each.name for each in found if each.individual}
    numbers = {individual: number for number, individual in enumerate(sorted(animals), 1)}
    images, annotations = [], []
    for number, each in enumerate(found, 1):
        taken = each.captured_at.strftime("%Y-%m-%d %H:%M:%S") if each.captured_at else None
        images.append(
            {
                "id": number,
                "file_name": each.picture,
                "date_captured": taken,
                "location": each.deployment,
                "seq_id": each.sequence or None,
                "gps_lat": each.place.latitude if each.place else None,
                "gps_lon": each.place.longitude if each.place else None,
            }
        )
        annotations.append(
            {
                "id": number,
                "image_id": number,
                "category_id": species[each.species],
                "bbox": [0, 0, 1, 1],
                "individual_ids": [numbers[each.individual]] if each.individual else [],
                "individual_id": each.name,
                "viewpoint": each.viewpoint or None,
                "attributes": {
                    "sighting": each.sighting,
                    "photograph_sha256": each.image,
                    "box_in_photograph": [round(part, 6) for part in each.box],
                    "outcome": each.outcome,
                    "probability": each.probability,
                },
            }
        )
    told = {
        "info": {"description": "Sightings of Resight", "version": "1"},
        "categories": [{"id": number, "name": name} for name, number in species.items()],
        "individuals": [
            {"id": numbers[individual], "name": name, "resight_id": individual}
            for individual, name in sorted(animals.items())
        ],
        "images": images,
        "annotations": annotations,
    }
    return json.dumps(told, indent=1).encode()


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(set(names))
