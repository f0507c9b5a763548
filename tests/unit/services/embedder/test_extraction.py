"""The embedder stores the keypoints that the matcher would compute, so the matcher need not."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.matcher.cache.crop_keypoints import CropKeypoints
from services.matcher.metrics import KEYPOINTS
from shared.keypoints.extractors.crop_extractor import CropExtractor
from shared.keypoints.extractors.sift import SiftExtractor
from shared.keypoints.keypoints import Keypoints, encode
from shared.keypoints.stored import StoredKeypoints
from shared.messages import Animal, Box, Capture, Sighting
from tests.support.embedder_bench import Place, sightings
from tests.support.samples.model_files import tiny_model
from tests.support.samples.pictures import coat


class _Middle:
    """Sees the animal in the middle of every view."""

    fingerprint = "middle"
    surroundings = True

    def masks(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
        return [self._mask(*image.shape[:2]) for image in images]

    def _mask(self, height: int, width: int) -> NDArray[np.bool_]:
        mask = np.zeros((height, width), np.bool_)
        mask[height // 4 : -height // 4, width // 5 : -width // 5] = True
        return mask


@pytest.fixture
def place(tmp_path: Path) -> Place:
    tiny_model(tmp_path / "tiny.onnx")
    return Place(tmp_path)


@pytest.fixture
def extractor() -> CropExtractor:
    return CropExtractor(SiftExtractor(64), 384, _Middle())


def _capture() -> Capture:
    boxes = (Box(x=0, y=0, width=1, height=1), Box(x=0.1, y=0.1, width=0.8, height=0.8))
    return Capture(inline=coat(3), animals=[Animal(box=box) for box in boxes])


def _counted(source: str) -> float:
    return float(KEYPOINTS.labels(source)._value.get())


def _find(place: Place, extractor: CropExtractor, some: Sequence[Sighting]) -> list[Keypoints]:
    nothing_cached = StoredKeypoints(place.captures, extractor.model)
    found = CropKeypoints(place.crops, extractor, nothing_cached, 10**8).find(some)
    return [each for each in found if isinstance(each, Keypoints)]


def test_stored_keypoints_are_those_that_the_matcher_computes(
    place: Place, extractor: CropExtractor
) -> None:
    without = sightings(place.service(segmenter=_Middle()), _capture())
    before = _counted("computed")
    computed = _find(place, extractor, without)
    assert _counted("computed") == before + 2
    assert min(len(each) for each in computed) > 8

    found = sightings(place.service(segmenter=_Middle(), extractor=extractor), _capture())
    stored = StoredKeypoints(place.crops, extractor.model).get([s.crop.sha256 for s in found])
    assert [encode(stored[each.crop.sha256]) for each in found] == list(map(encode, computed))


def test_the_matcher_reads_what_is_stored(place: Place, extractor: CropExtractor) -> None:
    found = sightings(place.service(segmenter=_Middle(), extractor=extractor), _capture())
    read, computed = _counted("store"), _counted("computed")
    assert len(_find(place, extractor, found)) == 2
    assert (_counted("store"), _counted("computed")) == (read + 2, computed)


def test_another_extractors_keypoints_are_not_taken(place: Place, extractor: CropExtractor) -> None:
    found = sightings(place.service(segmenter=_Middle(), extractor=extractor), _capture())
    computed = _counted("computed")
    [first, _] = _find(place, CropExtractor(SiftExtractor(16), 384, _Middle()), found)
    assert len(first) <= 16
    assert _counted("computed") == computed + 2
