"""The pictures of a catalogue that can be decoded: one that can't must not end hours of work."""

from collections.abc import Iterator
from dataclasses import replace

from rich.progress import track

from catalogue.reading.photographs import Catalogue, Photograph, Skipped
from resight.console import notes
from shared.errors import Poison
from shared.images.codec import open_picture

# JPEGs are decoded at an eighth of their size: that reads all of the file, and costs little.
_SIDE = 64


def decodable(found: Catalogue) -> Catalogue:
    """Return a catalogue without the pictures that can't be decoded, which are skipped.

    Raises nothing for a bad picture, whatever is wrong with it.
    """
    photographs: list[Photograph] = []
    skipped: list[Skipped] = []
    for photograph in _watched(found):
        try:
            open_picture(photograph.path.read_bytes()).pixels(_SIDE)
        except OSError as error:
            skipped.append(Skipped(photograph.path, f"can't be read: {error.strerror or error}"))
        except Poison as poison:
            skipped.append(Skipped(photograph.path, poison.reason))
        else:
            photographs.append(photograph)
    return replace(found, photographs=tuple(photographs), skipped=(*found.skipped, *skipped))


def _watched(found: Catalogue) -> Iterator[Photograph]:
    yield from track(
        found.photographs,
        "looking at the pictures",
        console=notes,
        transient=True,
        disable=not notes.is_terminal,
    )
