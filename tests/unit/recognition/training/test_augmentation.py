"""Variants of a crop: as a camera might have taken it, reproducible, never mirrored."""

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.training.augmentation.augmentation import CHANGES, augment
from recognition.training.augmentation.background_replacement import replace_background
from recognition.training.augmentation.geometry import reframe
from recognition.training.augmentation.infrared import infrared
from recognition.training.augmentation.occlusion import grass, trunk

SIDE = 64


@pytest.fixture
def picture() -> NDArray[np.uint8]:
    """Bright on the left, dark on the right, with texture."""
    ramp = np.linspace(220, 30, 74)[None, :, None]
    return (ramp + np.random.default_rng(0).uniform(-20, 20, (74, 74, 3))).astype(np.uint8)


def test_a_variant_has_the_model_s_size_and_depends_on_its_generator_alone(
    picture: NDArray[np.uint8],
) -> None:
    before = picture.copy()
    one, same, other = (augment(picture, SIDE, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert one.shape == (SIDE, SIDE, 3)
    assert one.dtype == np.uint8
    assert (one == same).all()
    assert (one != other).any()
    assert (picture == before).all()


@pytest.mark.parametrize("change", [change for _, change in CHANGES], ids=lambda c: c.__name__)
def test_every_change_keeps_shape_and_type_and_changes_something(
    change: type, picture: NDArray[np.uint8]
) -> None:
    for seed in range(10):
        changed = change(picture, np.random.default_rng(seed))
        assert changed.shape == picture.shape
        assert changed.dtype == np.uint8
        assert (changed != picture).any()


def test_nothing_mirrors(picture: NDArray[np.uint8]) -> None:
    for seed in range(50):
        framed = reframe(picture, SIDE, np.random.default_rng(seed))
        assert framed[:, : SIDE // 3].mean() > framed[:, -SIDE // 3 :].mean()


def test_infrared_is_grey(picture: NDArray[np.uint8]) -> None:
    night = infrared(picture, np.random.default_rng(1)).astype(int)
    # The sensor's grain differs by channel, the light does not.
    assert abs(night.mean((0, 1)) - night.mean()).max() < 2


@pytest.mark.parametrize("cover", [grass, trunk])
def test_what_covers_leaves_most_of_the_animal(cover: type, picture: NDArray[np.uint8]) -> None:
    for seed in range(20):
        covered = cover(picture, np.random.default_rng(seed))
        assert 0 < (covered != picture).any(axis=2).mean() < 0.5


def test_other_surroundings_leave_the_animal_as_it_is(picture: NDArray[np.uint8]) -> None:
    animal = np.zeros((74, 74), np.bool_)
    animal[20:50, 20:50] = True
    elsewhere = replace_background(picture, animal, np.random.default_rng(0))
    assert (elsewhere[animal] == picture[animal]).all()
    assert (elsewhere[~animal] != picture[~animal]).any(axis=1).mean() > 0.9
