"""One folder per individual, with its pictures or a subfolder per side."""

from pathlib import Path

from catalogue.reading.columns import Row
from catalogue.reading.listing import LeftOut, Listing
from catalogue.reading.source_folder import walk
from shared.images.file_types import HEADER_BYTES, PICTURES, sniff
from shared.viewpoints import named


def read(folder: Path) -> Listing:
    """Return the pictures below a folder, each with its individual."""
    rows: list[Row] = []
    left: list[LeftOut] = []

    def refused(path: Path, reason: str) -> None:
        left.append(LeftOut(str(path), reason))

    for path in walk(folder, refused, lambda *_: None):
        inside = path.relative_to(folder)
        parents = list(inside.parts[:-1])
        side = parents.pop() if parents and named(parents[-1]) else ""
        if not _is_picture(path):
            left.append(LeftOut(str(inside), "it is not a picture"))
        elif not parents:
            left.append(LeftOut(str(inside), "it is not in an individual's folder"))
        else:
            rows.append({"path": str(inside), "identity": parents[-1], "viewpoint": side})
    return Listing("one folder per individual", rows, left)


def _is_picture(path: Path) -> bool:
    with path.open("rb") as file:
        return sniff(file.read(HEADER_BYTES)) in PICTURES
