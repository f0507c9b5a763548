"""Textured pictures and the matcher's networks."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.matcher.engine import Engine, build_engine
from services.matcher.keypoints import Keypoints, sound
from services.matcher.settings import MatcherSettings

Picture = NDArray[np.uint8]


@pytest.fixture(scope="session")
def textured() -> Callable[[int], Picture]:
    """Draw a coat of random blots, RGB uint8 [288, 384, 3], another for each seed."""

    def draw(seed: int) -> Picture:
        blots = np.random.default_rng(seed).integers(0, 256, (36, 48, 3), dtype=np.uint8)
        coat = cv2.resize(blots, (384, 288), interpolation=cv2.INTER_CUBIC)
        return np.asarray(coat, dtype=np.uint8)

    return draw


@pytest.fixture(scope="session", params=["aliked-n16", "xfeat"])
def networks(request: pytest.FixtureRequest) -> Engine:
    """An extractor with its LightGlue, which sees every candidate."""
    return build_engine(MatcherSettings(extractor=request.param, policy="full"))


@pytest.fixture
def random_keypoints() -> Callable[..., Keypoints]:
    """Make keypoints with random unit descriptors."""

    def make(seed: int, count: int, length: int = 16) -> Keypoints:
        rng = np.random.default_rng(seed)
        descriptors = rng.normal(size=(count, length)).astype(np.float32)
        descriptors /= np.linalg.norm(descriptors, axis=1, keepdims=True)
        positions = rng.uniform(0, 100, (count, 2)).astype(np.float32)
        scores = rng.random(count, dtype=np.float32)
        return sound(positions, scores, descriptors, width=100, height=100)

    return make
