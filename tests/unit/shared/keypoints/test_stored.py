"""Keypoints lie beside the crops, and what is damaged counts as missing."""

from pathlib import Path

import numpy as np
import pytest

from shared.blobs import BlobStore
from shared.keypoints.keypoints import Keypoints, sound
from shared.keypoints.stored import StoredKeypoints
from shared.messages import ModelReference

MODEL = ModelReference(name="m", version="1", preprocessing="p")
HERE, NOT_HERE = "ab" * 32, "cd" * 32


@pytest.fixture
def keypoints() -> Keypoints:
    rng = np.random.default_rng(0)
    positions = rng.uniform(0, 50, (6, 2)).astype(np.float32)
    descriptors = rng.normal(size=(6, 8)).astype(np.float32)
    return sound(positions, np.ones(6, np.float32), descriptors, width=64, height=50)


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path.as_uri())


def test_keypoints_are_found_again_for_their_model_only(
    store: BlobStore, keypoints: Keypoints
) -> None:
    StoredKeypoints(store, MODEL).put(HERE, keypoints)
    found = StoredKeypoints(store, MODEL).get([HERE, NOT_HERE])
    assert list(found) == [HERE]
    np.testing.assert_array_equal(found[HERE].descriptors, keypoints.descriptors)
    other = ModelReference(name="m", version="2", preprocessing="p")
    assert StoredKeypoints(store, other).get([HERE]) == {}


@pytest.mark.parametrize("content", [b"", b"nothing", b"RKPT" + bytes(80)])
def test_damaged_keypoints_count_as_missing_and_are_named(
    store: BlobStore,
    keypoints: Keypoints,
    content: bytes,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stored = StoredKeypoints(store, MODEL)
    stored.put(HERE, keypoints)
    (tmp_path / stored.key(HERE)).write_bytes(content)
    assert stored.get([HERE]) == {}
    assert stored.key(HERE) in caplog.text
