"""Deterministic names: a replayed photograph gets the same IDs again."""

import hashlib
import re
import struct

from shared.messages import Box

DEFAULT_POPULATION = "default"
UNKNOWN_SPECIES = "unspecified"

WHOLE_PICTURE = (0.0, 0.0, 1.0, 1.0)


def sighting_id(image_sha256: str, box: Box) -> str:
    """Return the sighting's ID: SHA-256 of the image's digest and the box, hex.

    The box counts as four big-endian float32, so equal boxes give equal IDs on
    every platform. A whole picture has the box 0, 0, 1, 1.
    """
    corners = struct.pack(">4f", box.x, box.y, box.width, box.height)
    return hashlib.sha256(bytes.fromhex(image_sha256) + corners).hexdigest()


def slug(name: str) -> str:
    """Return `name` in lower case with runs of other characters than a-z, 0-9 as one '-'."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def gallery_name(population: str, species: str) -> str:
    """Return the gallery of one species in one population, `population/species`."""
    return f"{slug(population) or DEFAULT_POPULATION}/{slug(species) or UNKNOWN_SPECIES}"
