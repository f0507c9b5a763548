"""The matcher's networks, and random keypoints."""

from collections.abc import Callable

import numpy as np
import pytest

from services.matcher.engine import Engine, build_engine
from services.matcher.settings import MatcherSettings
from shared.keypoints.keypoints import Keypoints, sound


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
