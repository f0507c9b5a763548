"""The drawn data set as its readers see it: files, EXIF, metadata.csv, coats that identify."""

import csv
import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from recognition.synthetic.dataset import METADATA, Row, draw

SIZE = (400, 300)

Drawn = tuple[Path, tuple[Row, ...]]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    folder = tmp_path_factory.mktemp("drawn")
    return folder, draw(folder, individuals=9, sightings=4.0, seed=2, size=SIZE, deployments=2)


def test_metadata_lists_every_sighting_and_every_picture(drawn: Drawn) -> None:
    folder, rows = drawn
    with (folder / METADATA).open(newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["identity"] for row in read] == [row.identity for row in rows]
    assert len(rows) == 36
    pictures = {str(path.relative_to(folder)) for path in folder.rglob("*.jpg")}
    assert pictures == {row.path for row in rows}
    assert len(pictures) < len(rows)


def test_pictures_have_their_size_and_tell_their_time(drawn: Drawn) -> None:
    folder, rows = drawn
    for row in rows[:5]:
        with Image.open(folder / row.path) as picture:
            assert picture.size == SIZE
            taken = picture.getexif().get_ifd(0x8769)[0x9003]
        assert taken == row.date.replace("-", ":").replace("T", " ")


def test_boxes_lie_in_the_picture(drawn: Drawn) -> None:
    for row in drawn[1]:
        assert 0 <= row.x < row.x + row.width <= 1.00001
        assert 0 <= row.y < row.y + row.height <= 1.00001
        assert row.width > 0.15


def test_paths_do_not_tell_who_is_in_the_picture(drawn: Drawn) -> None:
    for row in drawn[1]:
        assert row.identity not in row.path
        assert row.identity not in row.sequence


def test_equal_arguments_draw_equal_bytes(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "other"):
        rows = draw(tmp_path / name, individuals=2, sightings=2.0, seed=5, size=(200, 150))
        digests.append(
            [hashlib.sha256((tmp_path / name / row.path).read_bytes()).hexdigest() for row in rows]
        )
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == len({row.path for row in rows})


def test_progress_is_told_after_every_picture(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    draw(
        tmp_path,
        individuals=2,
        sightings=2.0,
        size=(200, 150),
        progress=lambda done, total: told.append((done, total)),
    )
    total = told[0][1]
    assert told == [(done, total) for done in range(1, total + 1)]


def test_an_unknown_species_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unicorn; choose one of drawn leopard"):
        draw(tmp_path, species=("unicorn",))


def test_coats_tell_the_same_flank_of_one_leopard_from_other_leopards(tmp_path: Path) -> None:
    rows = draw(
        tmp_path, individuals=5, sightings=5.0, seed=1, species=("drawn leopard",), deployments=2
    )
    features = [_features(tmp_path, row) for row in rows]
    same: list[float] = []
    different: list[float] = []
    for i, one in enumerate(rows):
        for j, other in enumerate(rows[:i]):
            if one.viewpoint == other.viewpoint and one.sequence != other.sequence:
                matches = _matches(features[i], features[j])
                (same if one.identity == other.identity else different).append(matches)
    wins = np.mean([a > b for a in same for b in different])
    assert wins > 0.8


def _features(folder: Path, row: Row) -> NDArray[np.float32]:
    """RootSIFT inside of the box: weaker than what the matcher uses, and quick."""
    with Image.open(folder / row.path) as picture:
        image = np.asarray(picture.convert("L"))
    height, width = image.shape
    rows = slice(int(row.y * height), int((row.y + row.height) * height))
    columns = slice(int(row.x * width), int((row.x + row.width) * width))
    crop = cv2.resize(image[rows, columns], None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    _, found = cv2.SIFT.create(400).detectAndCompute(cv2.GaussianBlur(crop, (0, 0), 1.5), None)
    return np.asarray(np.sqrt(found / found.sum(axis=1, keepdims=True)), np.float32)


def _matches(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    likeness = one @ other.T
    best, back = likeness.argmax(axis=1), likeness.argmax(axis=0)
    mutual = back[best] == np.arange(len(one))
    scores = likeness[np.arange(len(one)), best]
    return float(np.clip(scores - 0.8, 0, None)[mutual].sum())
