"""Masks come back from the store as they were found, and bad ones say so."""

from pathlib import Path

import numpy as np
import pytest

from shared.blobs import BlobStore
from shared.errors import Poison
from shared.foreground.animal import OUTCOMES, Animal
from shared.foreground.stored_mask import keep, packed, read, unpacked
from shared.messages import BlobReference, Mask
from tests.support.samples.pictures import encoded, scene

NOISE = np.random.default_rng(0).random((97, 131)) < 0.4


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path.as_uri())


def test_a_mask_comes_back_as_it_was(store: BlobStore) -> None:
    mask = keep(Animal(NOISE, "used"), "finder", store)
    found = read(mask, store)
    assert mask.finder == "finder"
    assert found.outcome == "used"
    np.testing.assert_array_equal(found.mask, NOISE)


def test_an_outline_takes_a_kilobyte() -> None:
    rows, columns = np.ogrid[:512, :512]
    assert len(packed((rows - 256) ** 2 + (columns - 256) ** 2 < 200**2)) < 1500


@pytest.mark.parametrize("outcome", [each for each in OUTCOMES if each != "used"])
def test_why_a_mask_is_not_used_comes_back_too(
    store: BlobStore, tmp_path: Path, outcome: str
) -> None:
    [known] = [each for each in OUTCOMES if each == outcome]
    found = read(keep(Animal(NOISE, known), "finder", store), store)
    assert found.outcome == outcome
    assert found.mask.all()
    assert not list(tmp_path.iterdir())


def test_another_mask_of_the_same_sighting_overwrites_nothing(store: BlobStore) -> None:
    first, second = (keep(Animal(mask, "used"), "finder", store) for mask in (NOISE, ~NOISE))
    np.testing.assert_array_equal(read(first, store).mask, NOISE)
    np.testing.assert_array_equal(read(second, store).mask, ~NOISE)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture",
        packed(NOISE)[:60],
        encoded(scene(), "GIF"),
    ],
)
def test_what_is_no_mask_is_refused(content: bytes) -> None:
    with pytest.raises(Poison):
        unpacked(content)


@pytest.mark.parametrize(
    "mask",
    [
        Mask(unused="a reason of next year", finder="finder"),
        Mask(unused="used", finder="finder"),
        Mask(finder="finder"),
        Mask(image=BlobReference(key="masks/ab/none.png", sha256="0" * 64, size=3)),
    ],
)
def test_a_mask_that_tells_nothing_is_refused(store: BlobStore, mask: Mask) -> None:
    with pytest.raises(Poison):
        read(mask, store)


def test_a_mask_that_shows_nothing_is_refused(store: BlobStore) -> None:
    with pytest.raises(Poison, match="a mask shows no animal"):
        read(keep(Animal(np.zeros((9, 9), np.bool_), "used"), "finder", store), store)
