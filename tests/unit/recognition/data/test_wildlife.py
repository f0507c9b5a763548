"""Data sets of wildlife-datasets as catalogues.

The package is AGPL and no dependency, so a module of the same form stands in for it.
"""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from recognition.data import wildlife
from recognition.data.wildlife import WildlifeError
from shared.messages import VIEWPOINT_RIGHT, Box

NAN = float("nan")
RECORDS: list[dict[str, Any]] = [
    {
        "image_id": 0,
        "identity": 7,
        "path": "images/a.jpg",
        "bbox": [np.float64(5), np.int64(0), 10.0, 12],
        "orientation": "right",
        "date": "2019-03-02",
        "segmentation": {"size": [10, 20], "counts": b""},
    },
    {
        "image_id": 1,
        "identity": "unknown",
        "path": "images/b.jpg",
        "bbox": NAN,
        "orientation": NAN,
        "date": NAN,
        "segmentation": NAN,
    },
    {"image_id": 2, "identity": 8, "path": "images/gone.jpg", "bbox": [0, 0, 1, 1], "date": None},
]


class Table:
    """What is asked of a pandas data frame."""

    def to_dict(self, orient: str) -> list[dict[str, Any]]:
        assert orient == "records"
        return RECORDS


class WildlifeDataset:
    """What is asked of the package's class."""

    def __init__(self, root: str, *, check_files: bool) -> None:
        assert Path(root).is_dir()
        assert not check_files  # a missing file is skipped and named, not the end
        self.df = Table()


class Fells(WildlifeDataset):
    """A data set."""


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    outer, inner = ModuleType("wildlife_datasets"), ModuleType("wildlife_datasets.datasets")
    inner.WildlifeDataset, inner.Fells = WildlifeDataset, Fells  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wildlife_datasets", outer)
    monkeypatch.setitem(sys.modules, "wildlife_datasets.datasets", inner)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (20, 10)).save(tmp_path / "images" / f"{name}.jpg")
    return tmp_path


@pytest.mark.usefixtures("package")
def test_a_data_set_becomes_a_catalogue_with_boxes_as_fractions(folder: Path) -> None:
    found = wildlife.read("Fells", folder)
    first, second = found.photographs
    assert first.identities == ("7",)
    assert first.viewpoint == VIEWPOINT_RIGHT
    assert first.animals[0].box == Box(x=0.25, y=0.0, width=0.5, height=1.0)
    assert second.identities == ("",)
    assert second.animals == ()
    assert second.captured_at is None
    assert [each.path.name for each in found.skipped] == ["gone.jpg"]


@pytest.mark.usefixtures("package")
def test_a_name_that_is_no_data_set_is_refused(folder: Path) -> None:
    for name in ("Hills", "__name__"):
        with pytest.raises(WildlifeError, match=f"no data set '{name}'"):
            wildlife.read(name, folder)


def test_without_the_package_the_error_says_how_to_get_it_and_its_licence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wildlife_datasets", None)
    with pytest.raises(WildlifeError, match=r"pip install 'resight\[wildlife\]'.*AGPL"):
        wildlife.read("Fells", folder)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="download Fells there first"):
        wildlife.read("Fells", tmp_path / "none")
