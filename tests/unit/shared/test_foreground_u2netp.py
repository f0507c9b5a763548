"""U²-Netp's masks of drawn animals are held to their true silhouettes."""

import cv2
import numpy as np
import onnxruntime
import pytest

from recognition.drawn.light import Light
from shared.foreground.onnx_segmenter import OnnxSegmenter
from shared.foreground.u2netp import FILE, network, u2netp
from tests.silhouettes import standing

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
        mask = segmenter.mask(animal.picture)[animal.box]
        overlaps.append((mask & animal.silhouette).sum() / (mask | animal.silhouette).sum())
    assert np.mean(overlaps) >= least, overlaps


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
    np.testing.assert_array_equal(segmenter.mask(picture), u2netp().mask(picture))
