"""U²-Netp's masks of drawn animals are held to their true silhouettes."""

import cv2
import numpy as np
import onnxruntime
import pytest

from recognition.synthetic.light import Light
from shared.foreground.animal import Animal
from shared.foreground.onnx_segmenter import OnnxSegmenter
from shared.foreground.u2netp import FILE, SIDE, STABILITY, THRESHOLD, network, u2netp
from shared.foreground.view import View
from tests.support.samples.silhouettes import standing

IMAGENET_MEAN, IMAGENET_DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture(scope="module")
def segmenter() -> OnnxSegmenter:
    return u2netp()


@pytest.mark.parametrize(("light", "least"), [(Light.DAY, 0.85), (Light.NIGHT, 0.75)])
def test_an_animal_in_its_surroundings_is_cut_out(
    segmenter: OnnxSegmenter, light: Light, least: float
) -> None:
    overlaps = []
    for animal in standing(light):
        found = Animal.find(segmenter, View.around(animal.picture, animal.box))
        assert found.outcome == "used"
        size = animal.silhouette.shape[::-1]
        mask = cv2.resize(found.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        overlaps.append((mask & animal.silhouette).sum() / (mask | animal.silhouette).sum())
    assert np.mean(overlaps) >= least, overlaps


def test_where_nothing_of_the_animal_can_be_seen_the_whole_box_is_taken(
    segmenter: OnnxSegmenter,
) -> None:
    animal = next(standing(Light.NIGHT))
    dark = View.around(np.zeros_like(animal.picture), animal.box)
    found = Animal.find(segmenter, dark)
    assert found.outcome != "used"
    assert found.mask.all()


def test_a_picture_of_which_nothing_stands_out_for_certain_has_no_animal(
    segmenter: OnnxSegmenter,
) -> None:
    """A coat that fills the picture, as a close-up does, is no thing in front of a ground."""
    animal = next(standing(Light.DAY))
    height, width = animal.silhouette.shape
    rows, columns = (slice(int(0.35 * side), int(0.6 * side)) for side in (height, width))
    close_up = View.around(animal.picture, animal.box)
    coat = cv2.resize(close_up.of_box(close_up.picture)[rows, columns], (400, 300))
    assert not segmenter.masks([coat.astype(np.uint8)])[0].any()


def test_the_network_computes_what_the_published_one_does() -> None:
    side = 320
    picture = cv2.resize(next(standing(Light.DAY)).picture, (side, side))
    normalised = ((picture / 255 - IMAGENET_MEAN) / IMAGENET_DEVIATION).astype(np.float32)
    ours, published = (
        onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        for content in (network(FILE.read(), side), FILE.read())
    )
    [mask] = ours.run(None, {"picture": picture[None]})
    expected, *_ = published.run(
        None, {published.get_inputs()[0].name: normalised.transpose(2, 0, 1)[None]}
    )
    np.testing.assert_allclose(mask, expected, atol=1e-4)


def test_the_same_picture_gives_the_same_mask(segmenter: OnnxSegmenter) -> None:
    picture = next(standing(Light.NIGHT)).picture
    np.testing.assert_array_equal(segmenter.masks([picture])[0], u2netp().masks([picture])[0])


def test_its_name_tells_the_published_file_and_the_side(segmenter: OnnxSegmenter) -> None:
    """Not the bytes that our libraries make of it: another version of them is the same network."""
    published = f"onnx1-u2netp-{FILE.sha256[:12]}-{SIDE}px-above{THRESHOLD:g}"
    assert segmenter.fingerprint == f"{published}-{STABILITY.fingerprint}"
