"""Photographs of folders and files, with their metadata.csv.

`metadata.csv` in the folder has one row per animal:

    path,identity,species,viewpoint,date
    images/0001.jpg,leo,lion,left,2026-05-04T06:12:00

Optional columns: deployment, sequence, population, and the animal's box as
fractions of the picture: x, y, width, height. Two rows with one path are two animals in
one picture. `identity` and `split` are for evaluation and calibration and are never published.
`columns` has the aliases of other tools.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from catalogue.reading import columns, metadata_table
from catalogue.reading.catalogue import Catalogue, Photograph, Skipped
from catalogue.reading.columns import Row, box, names_individual, value
from catalogue.reading.dates import time
from catalogue.reading.limits import COMMAND, Limits
from catalogue.reading.source_folder import Finder, deployment, on_card, walk
from shared.errors import Poison
from shared.images.codec import MAX_BYTES, open_picture
from shared.images.file_types import HEADER_BYTES, PICTURES, sniff
from shared.messages import Animal
from shared.viewpoints import named

METADATA = "metadata.csv"
# Columns of a picture, whatever the number of its animals.
_OF_A_PICTURE = ("population", "deployment", "sequence", "date")
_PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff"})


def read(sources: Sequence[Path]) -> Catalogue:
    """Return the photographs of files and folders, in the order given.

    A folder with a metadata.csv has what that lists; any other folder all pictures below it, by
    name, with their folders as deployment (see `source_folder`).

    Raises:
        FileNotFoundError: a source does not exist.
        ValueError: a metadata.csv can't be read, or has no column `path`.
    """
    found = _Found()
    for source in sources:
        if not source.exists():
            raise FileNotFoundError(f"{source} does not exist")
        if source.is_file():
            found.items.append(_file(source.parent, source))
        elif (source / METADATA).is_file():
            _table(source, found)
        else:
            found.items.extend(_file(source, path) for path in found.walk(source))
    return found.catalogue()


def listed(
    folder: Path, rows: Sequence[Row], *, confined: bool = False, limits: Limits = COMMAND
) -> Catalogue:
    """Return the photographs of metadata rows.

    Each row has a `path` relative to the folder; other files are ignored. `confined`: paths outside
    the folder are refused.

    Raises:
        ForeignError: it takes too long.
    """
    found = _Found()
    _list(folder, rows, found, confined=confined, limits=limits)
    return found.catalogue()


@dataclass
class _Found:
    """Photographs and skipped files found so far."""

    items: list[Photograph | Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def walk(self, folder: Path) -> Iterator[Path]:
        return walk(folder, self._refused, self._left)

    def catalogue(self) -> Catalogue:
        return Catalogue(
            tuple(item for item in self.items if isinstance(item, Photograph)),
            tuple(item for item in self.items if isinstance(item, Skipped)),
            tuple(self.notes),
        )

    def _refused(self, folder: Path, reason: str) -> None:
        self.items.append(Skipped(folder, reason))

    def _left(self, folder: Path, count: int) -> None:
        files = f"{count} hidden file{'' if count == 1 else 's'} or files of the system"
        self.items.append(Skipped(folder, files, fault=False))


def single(photographs: Iterable[Photograph]) -> tuple[Photograph, ...]:
    """Return one photograph per animal, with its own box, viewpoint and identity."""
    return tuple(alone for photograph in photographs for alone in _alone(photograph))


def _alone(photograph: Photograph) -> Iterator[Photograph]:
    if not photograph.animals:
        yield photograph
        return
    for animal, identity in zip(photograph.animals, photograph.identities, strict=True):
        yield replace(
            photograph,
            species=animal.species or photograph.species,
            viewpoint=animal.viewpoint,
            animals=(animal,),
            identities=(identity,),
        )


def _file(source: Path, path: Path) -> Photograph | Skipped:
    return _fault(path) or Photograph(path, deployment=deployment(source, path), identities=("",))


def _fault(path: Path) -> Skipped | None:
    try:
        if not path.is_file():
            return Skipped(path, "file not found")
        if (size := path.stat().st_size) > MAX_BYTES:
            return Skipped(path, f"{size} bytes exceed the limit of {MAX_BYTES}")
        with path.open("rb") as file:
            kind = sniff(file.read(HEADER_BYTES))
    except OSError as error:
        return Skipped(path, f"can't be read: {error.strerror}")
    if kind in PICTURES:
        return None
    # A picture by its name is a fault, not a note.
    named = path.suffix.casefold() in _PICTURE_SUFFIXES
    reason = f"not a JPEG, PNG, WebP or TIFF picture{f' but {kind}' if kind else ''}"
    return Skipped(path, reason, fault=named)


def _table(folder: Path, found: _Found) -> None:
    path = folder / METADATA
    table = metadata_table.read(path)
    found.notes.extend(table.notes)
    _list(folder, table.rows, found)
    known = {item.path for item in found.items}
    found.items.extend(
        Skipped(each, f"not listed in {METADATA}", fault=False)
        for each in found.walk(folder)
        if each not in known and each != path
    )


def _list(
    folder: Path,
    rows: Sequence[Row],
    found: _Found,
    *,
    confined: bool = False,
    limits: Limits = COMMAND,
) -> None:
    finder = Finder(folder)
    # Rows of one picture may be apart and write its name differently.
    pictures: dict[Path, list[Row]] = {}
    for number, row in enumerate(rows):
        written = columns.path(row)
        if not written:
            found.items.append(Skipped(folder / METADATA, f"row {number + 1} has no picture"))
            continue
        path = finder.find(written)
        if confined and not path.resolve().is_relative_to(folder.resolve()):
            found.items.append(Skipped(path, "it is outside the catalogue"))
            continue
        pictures.setdefault(path, []).append(row)
    for path, group in pictures.items():
        limits.check_time()
        found.items.append(_photograph(path, group, folder))
    found.notes.extend(
        f"{path}: its rows disagree about {name}; the first is used"
        for path, group in pictures.items()
        for name in _OF_A_PICTURE
        if len({value(row, name) for row in group}) > 1
    )


def _photograph(path: Path, rows: Sequence[Row], folder: Path) -> Photograph | Skipped:
    if fault := _fault(path):
        return replace(fault, fault=True)  # it was listed
    first = rows[0]
    try:
        boxes = [box(row, lambda: _size(path)) for row in rows]
        captured_at = time(value(first, "date"))
        place = columns.place(first)
    except ValueError as error:
        return Skipped(path, f"its row: {error}")
    if len(rows) > 1 and None in boxes:
        return Skipped(path, f"{len(rows)} rows, but not each has x,y,width,height")
    viewpoints = [named(value(row, "viewpoint")) for row in rows]
    species = [value(row, "species") for row in rows]
    return Photograph(
        path,
        species=species[0],
        population=value(first, "population"),
        deployment=value(first, "deployment") or _deployment(folder, path),
        sequence=value(first, "sequence"),
        captured_at=captured_at,
        viewpoint=viewpoints[0],
        animals=tuple(
            Animal(box=own, viewpoint=viewpoint, species=kind if kind != species[0] else "")
            for own, viewpoint, kind in zip(boxes, viewpoints, species, strict=True)
            if own is not None
        ),
        identities=tuple(
            name if names_individual(name := value(row, "identity")) else "" for row in rows
        ),
        split=value(first, "split"),
        place=place,
    )


def _deployment(folder: Path, path: Path) -> str:
    """Return the deployment of a listed picture: the folder's or its card's name."""
    inside = path.is_relative_to(folder) and on_card(PurePosixPath(path.relative_to(folder)))
    return deployment(folder, path if inside else folder / path.name)


def _size(path: Path) -> tuple[int, int]:
    """Return a picture's size as displayed, in pixels.

    Raises:
        ValueError: it can't be read.
    """
    try:
        picture = open_picture(path.read_bytes())
    except (OSError, Poison) as error:
        raise ValueError(f"its box is in pixels, but its size can't be read: {error}") from error
    return picture.width, picture.height
