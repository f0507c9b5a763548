"""U²-Netp through PyTorch cuts out what it cuts out through ONNX Runtime, in batches."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.synthetic.light import Light
from services.matcher.settings import MatcherSettings
from shared.foreground.animal import Animal
from shared.foreground.u2netp import u2netp
from shared.foreground.view import View
from shared.keypoints.build import segmenter
from shared.keypoints.extractors import torch_segmenter
from shared.keypoints.extractors.crop_extractor import Crop, CropExtractor
from shared.keypoints.extractors.torch_segmenter import TorchSegmenter
from shared.keypoints.extractors.xfeat import XFeatExtractor
from tests.support.samples.silhouettes import standing


@pytest.fixture(scope="module")
def on_torch() -> TorchSegmenter:
    return TorchSegmenter("cpu")


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.uint8]]:
    animals = [next(standing(light)) for light in (Light.DAY, Light.NIGHT)]
    shown = [View.around(each.picture, each.box).picture for each in animals]
    return [*shown, shown[0][:, ::-1].copy()]


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_masks_are_those_of_the_other_engine_under_the_same_name(
    on_torch: TorchSegmenter, pictures: list[NDArray[np.uint8]]
) -> None:
    other = u2netp()
    assert on_torch.fingerprint == other.fingerprint
    for mine, theirs in zip(on_torch.masks(pictures), other.masks(pictures), strict=True):
        assert mine.shape == theirs.shape
        assert _overlap(mine, theirs) > 0.995


def test_a_picture_has_its_mask_whatever_comes_with_it(
    on_torch: TorchSegmenter,
    pictures: list[NDArray[np.uint8]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together = on_torch.masks(pictures)
    monkeypatch.setattr(torch_segmenter, "TOGETHER", 2)
    for mine, theirs in zip(on_torch.masks(pictures), together, strict=True):
        assert _overlap(mine, theirs) > 0.995
    assert on_torch.masks([]) == []


def test_crops_without_a_mask_are_looked_at_together(
    pictures: list[NDArray[np.uint8]],
) -> None:
    """As the matcher reads them out of the store, some with the embedder's mask."""

    batches: list[int] = []

    class Counting(TorchSegmenter):
        def masks(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
            batches.append(len(images))
            return super().masks(images)

    extractor = CropExtractor(XFeatExtractor(32), 128, Counting("cpu"))
    there = Animal(np.ones((8, 8), np.bool_), "all")
    extractor.extract_all([*(Crop(each) for each in pictures), Crop(pictures[0], there)])
    assert batches == [3]


def test_without_a_gpu_the_segmenter_stays_with_onnx_runtime() -> None:
    assert type(segmenter(MatcherSettings(device="cpu"), threads=1)) is type(u2netp())
