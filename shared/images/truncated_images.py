"""Truncated pictures, as far as they can be decoded."""

from PIL import Image, ImageFile

# Maximum fraction of missing rows.
MOST_MISSING = 0.1


def load_truncated(source: ImageFile.ImageFile) -> None:
    """Load a truncated picture if little of it is missing; the rest has one colour.

    Pillow's switch for that is global, so nothing else may decode meanwhile: a decode worker
    handles one picture at a time.

    Raises:
        OSError: too much is missing.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        source.load()
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    missing = _flat_rows(source) / source.height
    if missing > MOST_MISSING:
        raise OSError(f"truncated: {missing:.0%} of the picture is missing, too much to salvage")


def _flat_rows(image: Image.Image) -> int:
    """Return how many of the last rows have one colour, which decoders fill in for missing data."""
    last = image.getpixel((image.width - 1, image.height - 1))
    for count in range(image.height):
        row = image.crop((0, image.height - count - 1, image.width, image.height - count))
        colours = row.getcolors(1)
        if colours is None or colours[0][1] != last:
            return count
    return image.height
