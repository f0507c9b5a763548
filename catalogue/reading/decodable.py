"""The decodable pictures of a catalogue: one bad file must not end hours of work."""

from dataclasses import replace

from catalogue.reading.catalogue import Catalogue, Photograph, Skipped
from shared.errors import Poison
from shared.images.codec import open_picture
from shared.progress import LOGGED, Progress

# JPEGs are decoded at an eighth of their size: that reads the whole file and costs little.
_SIDE = 64


def decodable(found: Catalogue, progress: Progress = LOGGED) -> Catalogue:
    """Return a catalogue in which pictures that can't be decoded are skipped, with the reason."""
    photographs: list[Photograph] = []
    skipped: list[Skipped] = []
    total = len(found.photographs)
    for photograph in progress.watch(found.photographs, "checking pictures", total):
        try:
            open_picture(photograph.path.read_bytes()).pixels(_SIDE)
        except OSError as error:
            skipped.append(Skipped(photograph.path, f"can't be read: {error.strerror or error}"))
        except Poison as poison:
            skipped.append(Skipped(photograph.path, poison.reason))
        else:
            photographs.append(photograph)
    return replace(found, photographs=tuple(photographs), skipped=(*found.skipped, *skipped))
