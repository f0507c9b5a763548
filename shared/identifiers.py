"""Deterministic IDs: a replayed photograph gets the same IDs."""

import hashlib
import re
import struct
import unicodedata

from shared.messages import Box

DEFAULT_POPULATION = "default"
UNKNOWN_SPECIES = "unspecified"

WHOLE_PICTURE = (0.0, 0.0, 1.0, 1.0)


def whole_box() -> Box:
    """Return the box of a whole picture."""
    x, y, width, height = WHOLE_PICTURE
    return Box(x=x, y=y, width=width, height=height)


def sighting_id(image_sha256: str, box: Box) -> str:
    """Return the sighting's ID: SHA-256 of the image's digest and the box, hex.

    The box counts as four big-endian float32, so equal boxes give equal IDs on
    every platform. A whole picture has the box 0, 0, 1, 1.
    """
    corners = struct.pack(">4f", box.x, box.y, box.width, box.height)
    return hashlib.sha256(bytes.fromhex(image_sha256) + corners).hexdigest()


def slug(name: str) -> str:
    """Return `name` in lower case; runs of other characters than letters and digits are one '-'.

    Letters and digits are Unicode's, NFKC-normalised: 斑马 and тигр stay as they are. A name of
    symbols only, such as an emoji, becomes `x` and a digest. Spaces and punctuation alone give ''.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else "-" for c in folded)
    plain = re.sub("-+", "-", kept).strip("-")
    if plain or not any(unicodedata.category(c)[0] == "S" for c in folded):
        return plain
    return f"x{hashlib.sha256(name.strip().encode(errors='surrogatepass')).hexdigest()[:8]}"


def gallery_name(population: str, species: str) -> str:
    """Return the gallery of one species in one population, `population/species`."""
    return f"{slug(population) or DEFAULT_POPULATION}/{slug(species) or UNKNOWN_SPECIES}"


def split_gallery(name: str) -> tuple[str, str]:
    """Return population and species of a gallery."""
    population, _, species = name.partition("/")
    return population, species


def names_gallery(text: str) -> bool:
    """Return whether a text has the form of a gallery name."""
    parts = text.split("/")
    return len(parts) == 2 and all(part and slug(part) == part for part in parts)
