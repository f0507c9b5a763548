"""The photographs of a folder, or of a list of files, with what its metadata.csv tells of them.

`metadata.csv` lies in the folder and has one row for each animal:

    path,identity,species,viewpoint,date
    images/0001.jpg,leo,lion,left,2026-05-04T06:12:00

Optional columns: deployment, sequence, population, and the animal's box as
fractions of the picture: x, y, width, height. Two rows with one path are two animals in
one picture. `identity` and `split` serve to measure and to calibrate; they are never published.
Other names of columns that are understood stand in `recognition.columns`.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path

from recognition.columns import Row, box, names_individual, time, value
from shared.images import MAX_BYTES
from shared.media import HEADER_BYTES, PICTURES, sniff
from shared.messages import VIEWPOINT_UNSPECIFIED, Animal, Viewpoint
from shared.viewpoints import named

METADATA = "metadata.csv"

# What a photographer of both flanks calls the pictures of one encounter: 299_leftphoto.jpg.
_NUMBERED = re.compile(r"(\d+)_(?:left|right|front|back|top)", re.IGNORECASE)


@dataclass(frozen=True)
class Photograph:
    """One picture to be published. No animals: the whole picture is one sighting."""

    path: Path
    species: str = ""
    population: str = ""
    deployment: str = ""
    sequence: str = ""
    captured_at: datetime | None = None  # with its time zone; None: the picture's EXIF tells
    viewpoint: Viewpoint = VIEWPOINT_UNSPECIFIED
    animals: tuple[Animal, ...] = ()
    identities: tuple[str, ...] = ()  # one for each sighting; '' where unlabelled
    split: str = ""  # the part of a data set that it belongs to, such as train

    @property
    def encounter(self) -> str:
        """The sequence, or the encounter that the file's name begins with; '' for neither."""
        numbered = _NUMBERED.match(self.path.name)
        return self.sequence or (numbered[1] if numbered else "")


@dataclass(frozen=True)
class Skipped:
    """A file or row that is not published, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Catalogue:
    """What there is to publish, in order, and what is left out."""

    photographs: tuple[Photograph, ...]
    skipped: tuple[Skipped, ...]

    def first(self, limit: int | None) -> "Catalogue":
        """Return it cut to its first `limit` photographs; None: all."""
        return replace(self, photographs=self.photographs[:limit])

    def labelled(
        self,
        species: str | None = None,
        population: str | None = None,
        deployment: str | None = None,
    ) -> "Catalogue":
        """Return it with what is given in place of what was found; None keeps that."""

        def label(photograph: Photograph) -> Photograph:
            return replace(
                photograph,
                species=photograph.species if species is None else species,
                population=photograph.population if population is None else population,
                deployment=photograph.deployment if deployment is None else deployment,
            )

        return replace(self, photographs=tuple(label(each) for each in self.photographs))


def read(sources: Sequence[Path]) -> Catalogue:
    """Return the photographs of files and folders, in the order given.

    A folder with a metadata.csv holds what that lists; any other, all pictures
    below it, by name, each with the name of its own folder as deployment.

    Raises:
        FileNotFoundError: a source does not exist.
        ValueError: a metadata.csv has no column `path`.
    """
    found: list[Photograph | Skipped] = []
    for source in sources:
        if not source.exists():
            raise FileNotFoundError(f"{source} does not exist")
        if source.is_file():
            found.append(_file(source))
        elif (source / METADATA).is_file():
            found.extend(_table(source))
        else:
            found.extend(_file(path) for path in sorted(source.rglob("*")) if path.is_file())
    return _catalogue(found)


def listed(folder: Path, rows: Sequence[Row]) -> Catalogue:
    """Return the photographs that rows like those of a metadata.csv describe.

    Each row has a `path` relative to the folder; whatever else lies there is not looked at.
    """
    return _catalogue(_listed(folder, rows))


def _catalogue(found: Iterable[Photograph | Skipped]) -> Catalogue:
    items = list(found)
    return Catalogue(
        tuple(item for item in items if isinstance(item, Photograph)),
        tuple(item for item in items if isinstance(item, Skipped)),
    )


def single(photographs: Iterable[Photograph]) -> tuple[Photograph, ...]:
    """Return one photograph for each animal, with its own box, viewpoint and identity.

    A photograph of two animals comes out twice, one after the other.
    """
    return tuple(alone for photograph in photographs for alone in _alone(photograph))


def _alone(photograph: Photograph) -> Iterator[Photograph]:
    if not photograph.animals:
        yield photograph
        return
    for animal, identity in zip(photograph.animals, photograph.identities, strict=True):
        yield replace(
            photograph, viewpoint=animal.viewpoint, animals=(animal,), identities=(identity,)
        )


def _file(path: Path) -> Photograph | Skipped:
    if fault := _fault(path):
        return Skipped(path, fault)
    return Photograph(path, deployment=path.resolve().parent.name, identities=("",))


def _fault(path: Path) -> str:
    if not path.is_file():
        return "there is no such file"
    if (size := path.stat().st_size) > MAX_BYTES:
        return f"{size} bytes are more than the {MAX_BYTES} that a message carries"
    with path.open("rb") as file:
        kind = sniff(file.read(HEADER_BYTES))
    if kind not in PICTURES:
        return f"not a JPEG, PNG, WebP or TIFF picture{f' but {kind}' if kind else ''}"
    return ""


def _table(folder: Path) -> Iterator[Photograph | Skipped]:
    with (folder / METADATA).open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if "path" not in (reader.fieldnames or ()):
            raise ValueError(
                f"{folder / METADATA} has no column 'path' in its first line; "
                "it needs at least: path,identity,species,viewpoint,date"
            )
        rows = [{key: (text or "").strip() for key, text in row.items() if key} for row in reader]
    yield from _listed(folder, rows)
    known = {folder / row["path"] for row in rows}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path not in known and path.name != METADATA:
            yield Skipped(path, f"not listed in {METADATA}")


def _listed(folder: Path, rows: Sequence[Row]) -> Iterator[Photograph | Skipped]:
    # Rows of one picture may lie apart: sorting by first appearance brings them together.
    first = {row["path"]: number for number, row in reversed(list(enumerate(rows)))}
    for name, group in groupby(
        sorted(rows, key=lambda row: first[row["path"]]), key=lambda row: row["path"]
    ):
        yield _photograph(folder / name, list(group), folder)


def _photograph(path: Path, rows: Sequence[Row], folder: Path) -> Photograph | Skipped:
    if fault := _fault(path):
        return Skipped(path, fault)
    first = rows[0]
    try:
        boxes = [box(row) for row in rows]
        captured_at = time(value(first, "date"))
    except ValueError as error:
        return Skipped(path, f"its row: {error}")
    if len(rows) > 1 and None in boxes:
        return Skipped(path, f"{len(rows)} rows, but not each has x,y,width,height")
    viewpoints = [named(value(row, "viewpoint")) for row in rows]
    return Photograph(
        path,
        species=value(first, "species"),
        population=value(first, "population"),
        deployment=value(first, "deployment") or folder.resolve().name,
        sequence=value(first, "sequence"),
        captured_at=captured_at,
        viewpoint=viewpoints[0],
        animals=tuple(
            Animal(box=own, viewpoint=viewpoint)
            for own, viewpoint in zip(boxes, viewpoints, strict=True)
            if own is not None
        ),
        identities=tuple(
            name if names_individual(name := value(row, "identity")) else "" for row in rows
        ),
        split=value(first, "split"),
    )
