"""Reads the data sets of the package wildlife-datasets.

Most of its hundred data sets have their own folders and labels, which its loaders know. Nothing is
downloaded: a data set's folder must exist. WildlifeReID-10k and AnimalCLEF have a metadata.csv that
`catalogue.read` reads without the package.
"""

import json
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from catalogue.reading.catalogue import Catalogue
from catalogue.reading.columns import Row
from catalogue.reading.photographs import listed
from shared.errors import Poison
from shared.images.codec import open_picture

_SHAPES = ("bbox", "segmentation")


class WildlifeError(RuntimeError):
    """The package is missing or has no such data set."""


def read(name: str, root: Path) -> Catalogue:
    """Return the photographs of a data set, such as 'WildlifeReID10k', that lies in `root`.

    `name` is the class in `wildlife_datasets.datasets`. Its boxes, in pixels, become fractions of
    the picture; masks are not read.

    Raises:
        WildlifeError: the package is not installed, or has no data set of this name.
        FileNotFoundError: there is no such folder.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is not a folder; download {name} there first")
    dataset = _class(name)(str(root), check_files=False)
    return listed(root, [_row(record, root) for record in dataset.df.to_dict("records")])


def _class(name: str) -> Any:
    try:
        module = import_module("wildlife_datasets.datasets")
    except ImportError as error:
        raise WildlifeError(
            f"reading {name} needs the package wildlife-datasets ({error}): pip install "
            "'resight[wildlife]'. Its licence is AGPL-3.0, unlike Resight's: consider this "
            "before distributing or serving anything that includes it"
        ) from error
    found = getattr(module, name, None)
    if not (isinstance(found, type) and issubclass(found, module.WildlifeDataset)):
        raise WildlifeError(
            f"wildlife-datasets has no data set {name!r}; its names are written like "
            "WildlifeReID10k, AnimalCLEF2025 or NyalaData"
        )
    return found


def _row(record: Mapping[str, Any], root: Path) -> Row:
    row = {key: _text(value) for key, value in record.items() if key not in _SHAPES}
    # An item without a box has NaN there instead of a list.
    if isinstance(box := record.get("bbox"), Iterable):
        row |= {"bbox": json.dumps([float(each) for each in box]), **_size(root / row["path"])}
    return row


def _text(value: Any) -> str:
    """Return a cell as text; pandas marks empty ones with NaN or NaT."""
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - only NaN differs


def _size(path: Path) -> dict[str, str]:
    """Return a picture's size in pixels; nothing if it is invalid, which is reported later."""
    try:
        picture = open_picture(path.read_bytes())
    except (OSError, Poison):
        return {}
    return {"width": str(picture.width), "height": str(picture.height)}
