"""What every detector promises, whichever it is."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.matcher.pair_matchers.neighbours import mutual_neighbours
from shared.keypoints.extractors.disk import DiskExtractor
from shared.keypoints.extractors.local_extractor import Framed, LocalExtractor
from shared.keypoints.extractors.sift import SiftExtractor
from shared.keypoints.extractors.xfeat import XFeatExtractor

Picture = NDArray[np.uint8]
Draw = Callable[[int], Picture]
COUNT = 128
MAKE: dict[str, Callable[[], LocalExtractor]] = {
    "disk": lambda: DiskExtractor(COUNT),
    "sift": lambda: SiftExtractor(COUNT),
    "xfeat": lambda: XFeatExtractor(COUNT),
}


@pytest.fixture(scope="module", params=sorted(MAKE))
def detector(request: pytest.FixtureRequest) -> LocalExtractor:
    return MAKE[request.param]()


def test_a_coat_seen_again_shares_more_than_another(
    detector: LocalExtractor, textured: Draw
) -> None:
    coat = textured(1)
    turn = cv2.getRotationMatrix2D((192, 144), 8, 1.05)
    turned = cv2.warpAffine(coat, turn, (384, 288), borderMode=cv2.BORDER_REFLECT)
    again = np.asarray(turned, dtype=np.uint8)
    query, same, other = detector.detect([Framed(each) for each in (coat, again, textured(2))])
    assert 50 < len(query) <= COUNT
    assert query.descriptors.shape[1] == detector.descriptor_length
    assert (np.diff(query.scores) <= 0).all()
    right, wrong = mutual_neighbours(query, [same, other], 0.8)
    assert right.score > 3 * wrong.score


def test_keypoints_lie_where_they_may(detector: LocalExtractor, textured: Draw) -> None:
    on = np.zeros((288, 384), np.bool_)
    on[60:250, 90:300] = True
    [found] = detector.detect([Framed(textured(1), on)])
    x, y = found.positions.T
    assert len(found) > 30
    assert (x >= 90).all()
    assert (x < 301).all()
    assert (y >= 60).all()
    assert (y < 251).all()


def test_what_shows_nothing_has_no_keypoints(detector: LocalExtractor) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.normal(60, grey, (96, 128, 1)).repeat(3, 2).astype(np.uint8) for grey in (1, 3)]
    even = np.full((96, 128, 3), 128, np.uint8)
    thin = rng.integers(0, 256, (9, 400, 3), dtype=np.uint8)
    found = detector.detect([Framed(each) for each in (*noise, even, thin)])
    assert [len(each) for each in found[2:]] == [0, 0]
    assert sum(len(each) for each in found[:2]) <= 2
