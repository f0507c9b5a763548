"""Labelled pictures of a folder, for calibration, replay and evaluation."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from catalogue.publishing.captures import capture
from catalogue.reading import photographs
from catalogue.reading.catalogue import Catalogue, Photograph
from catalogue.reading.decodable import decodable
from catalogue.reading.photographs import METADATA
from recognition.data.labelled_stream import LabelledCapture
from shared.errors import ResightError
from shared.progress import LOGGED, Progress

Order = Literal["time", "table", "shuffle"]

# Evidence does not depend on it, and cached evidence is keyed by the whole message.
PUBLISHED_AT = datetime(1970, 1, 1, tzinfo=UTC)


class DataSetError(ResightError):
    """A folder of labelled pictures is unusable."""


def read_folder(folder: Path, limit: int | None, progress: Progress) -> Catalogue:
    """Return the decodable pictures of a folder, and report what is skipped.

    Raises:
        DataSetError: it cannot be read.
    """
    try:
        found = photographs.read([folder]).first(limit)
    except (FileNotFoundError, ValueError) as error:
        raise DataSetError(str(error)) from error
    found = decodable(found, progress)
    for line in found.told():
        progress.note(line)
    return found


def labelled_photographs(
    folder: Path,
    split: str | None = None,
    limit: int | None = None,
    progress: Progress = LOGGED,
) -> list[Photograph]:
    """Return a folder's photographs, or those of one `split`.

    Raises:
        DataSetError: the folder can't be read, or a picture has no identity.
    """
    found = read_folder(folder, limit, progress)
    chosen = [each for each in found.photographs if split in (None, each.split or split)]
    for photograph in chosen:
        if not all(photograph.identities):
            raise DataSetError(f"{photograph.path} has no identity; labels are needed here")
    return chosen


def labelled_animals(
    folder: Path, limit: int | None = None, progress: Progress = LOGGED
) -> tuple[Photograph, ...]:
    """Return one photograph for each animal in a data set's folder.

    Raises:
        DataSetError: there is no metadata.csv, or fewer than two individuals have an identity.
    """
    if not (folder / METADATA).is_file():
        raise DataSetError(
            f"{folder / METADATA} does not exist; evaluation needs labels: a file with the columns "
            "path,identity and, if you have them, species,viewpoint,date,sequence"
        )
    animals = photographs.single(read_folder(folder, limit, progress).photographs)
    named = {name for animal in animals for name in animal.identities} - {"", "unknown"}
    if not named:
        raise DataSetError(
            f"no picture of {folder} has an identity; fill that column of {METADATA}"
        )
    if len(named) == 1:
        raise DataSetError(
            f"all labelled pictures of {folder} show one individual, {named.pop()}; at least two "
            "are needed" + (" (only the first ones were used)" if limit else "")
        )
    return animals


def ordered(found: Sequence[Photograph], order: Order, seed: int) -> list[Photograph]:
    """Return photographs by time; those without a time come last."""
    arriving = list(found)
    if order == "shuffle":
        random.Random(seed).shuffle(arriving)  # noqa: S311 - an order, no secret
    elif order == "time":
        late = datetime.max.replace(tzinfo=UTC)
        arriving.sort(key=lambda each: each.captured_at or late)
    return arriving


def labelled_capture(photograph: Photograph) -> LabelledCapture:
    """Return a photograph as a capture with its picture inside, and its labels.

    Raises:
        OSError: it can't be read.
    """
    message = capture(photograph, photograph.path.read_bytes(), PUBLISHED_AT)
    source = str(photograph.path)
    return LabelledCapture(message, photograph.identities, photograph.encounter, source)
