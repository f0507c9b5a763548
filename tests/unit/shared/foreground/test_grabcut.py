"""GrabCut finds what differs from the corners, and always says something."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.foreground.grabcut import CORE, GrabCutSegmenter


def _scene(height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A brown body in its box, on grass, and where it is."""
    rng = np.random.default_rng(0)
    image = rng.normal((60, 150, 60), 12, (height, width, 3))
    body = np.zeros((height, width), np.uint8)
    middle, axes = (width // 2, height // 2), (int(width * 0.46), int(height * 0.3))
    cv2.ellipse(body, middle, axes, 0, 0, 360, 1, -1)
    coat = rng.normal((140, 90, 50), 12, (height, width, 3))
    return np.where(body[..., None] > 0, coat, image).clip(0, 255).astype(np.uint8), body > 0


@pytest.mark.parametrize("shape", [(120, 180), (480, 640), (300, 150)])
def test_the_body_is_found_and_the_grass_is_not(shape: tuple[int, int]) -> None:
    image, body = _scene(*shape)
    mask = GrabCutSegmenter().masks([image])[0]
    assert mask.shape == shape
    assert (mask & body).sum() / (mask | body).sum() > 0.9


def test_the_same_crop_gives_the_same_mask_whatever_was_drawn_before() -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 180, 3), dtype=np.uint8)
    segmenter = GrabCutSegmenter()
    first = segmenter.masks([image])[0]
    for seed in range(1, 4):
        cv2.setRNGSeed(seed)
        np.testing.assert_array_equal(first, segmenter.masks([image])[0])


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_uniform_crop_gets_the_ellipse(level: int) -> None:
    mask = GrabCutSegmenter().masks([np.full((90, 120, 3), level, np.uint8)])[0]
    _assert_ellipse(mask)


def test_an_animal_of_the_colour_of_its_surroundings_gets_the_ellipse() -> None:
    image = np.random.default_rng(0).normal((60, 150, 60), 5, (100, 100, 3)).clip(0, 255)
    cv2.circle(image, (50, 50), round(50 * CORE), (200.0, 40.0, 40.0), -1)
    _assert_ellipse(GrabCutSegmenter().masks([image.astype(np.uint8)])[0])


def _assert_ellipse(mask: NDArray[np.bool_]) -> None:
    assert mask.mean() == pytest.approx(np.pi / 4, abs=0.02)
    assert mask[:, mask.shape[1] // 2].all()
    assert mask[mask.shape[0] // 2].all()


@pytest.mark.parametrize("shape", [(1, 1), (2, 400), (400, 3), (17, 17)])
def test_a_crop_of_any_shape_gets_a_mask_with_something_in_it(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    mask = GrabCutSegmenter().masks([noise])[0]
    assert mask.shape == shape
    assert mask.any()
