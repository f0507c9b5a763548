"""Keypoints beside the animal are left out, before the best are chosen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from services.matcher.background.memory import kept_as
from services.matcher.engine import build_engine
from services.matcher.settings import MatcherSettings
from shared.errors import SettingsError
from shared.foreground.close_up import SURROUNDINGS
from shared.identifiers import WHOLE_PICTURE
from shared.keypoints.extractors.crop_extractor import MARGIN, CropExtractor
from shared.keypoints.extractors.local_extractor import Framed, one_by_one
from shared.keypoints.keypoints import Keypoints, none_in, sound
from shared.messages import ModelReference

WIDTH, HEIGHT = 400, 200


@dataclass(frozen=True)
class _Half:
    """Sees the animal in the left `share` of every crop."""

    share: float = 0.5
    fingerprint: str = "half"
    surroundings: bool = True

    def masks(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
        return [self._mask(image) for image in images]

    def _mask(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        mask = np.zeros(image.shape[:2], np.bool_)
        mask[:, : round(image.shape[1] * self.share)] = True
        return mask


@dataclass(frozen=True)
class _Speckled(_Half):
    """Sees something small at the right edge too."""

    def _mask(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        mask = super()._mask(image)
        mask[:9, -9:] = True
        return mask


@dataclass(frozen=True)
class _Row:
    """Finds one keypoint in each column of the picture, the better the more to the right."""

    model = ModelReference(name="row", version="1", preprocessing="plain")
    descriptor_length = 2
    together = 1
    keypoints: int = 500

    def detect(self, pictures: Sequence[Framed]) -> list[Keypoints]:
        return one_by_one(pictures, self._found, self.keypoints, self.descriptor_length)

    def _found(self, image: NDArray[np.uint8]) -> Keypoints:
        height, width = image.shape[:2]
        columns = np.arange(width, dtype=np.float32)
        positions = np.stack([columns, np.full(width, height / 2, np.float32)], axis=1)
        descriptors = np.ones((width, 2), np.float32)
        return sound(positions, columns, descriptors, width=width, height=height)


@dataclass(frozen=True)
class _Bright(_Row):
    """Finds one keypoint in each bright column."""

    def _found(self, image: NDArray[np.uint8]) -> Keypoints:
        found = super()._found(image)
        return found.where(image[0, found.positions[:, 0].astype(int), 0] > 127)


@dataclass(frozen=True)
class _Nothing(_Row):
    def _found(self, image: NDArray[np.uint8]) -> Keypoints:
        return none_in(image.shape[1], image.shape[0], 2)


PICTURE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def _extractor(segmenter: _Half, keypoints: int = 500, longest_side: int = 400) -> CropExtractor:
    return CropExtractor(_Row(keypoints), longest_side, segmenter)


def _across(found: Keypoints) -> NDArray[np.float64]:
    """How far to the right each keypoint lies, as a fraction of the crop."""
    return found.in_crop()[:, 0]


def test_only_keypoints_on_the_animal_or_just_beside_it_are_kept() -> None:
    kept = _across(_extractor(_Half()).extract(PICTURE))
    assert kept.min() == 0
    assert kept.max() == pytest.approx(0.5 + MARGIN * (0.5 + SURROUNDINGS), abs=0.01)


def test_the_animal_fills_the_picture_that_the_network_sees() -> None:
    kept = _extractor(_Half(share=0.25)).extract(PICTURE)
    # As high as the crop and a quarter as wide: its 200 rows fill the network's 400.
    assert (kept.width, kept.height) == (2 * round((0.25 + SURROUNDINGS) * WIDTH), 400)
    assert len(kept) == 2 * WIDTH / 4 + MARGIN * 400


def test_the_best_of_those_on_the_animal_are_kept() -> None:
    kept = _extractor(_Half(), keypoints=10).extract(PICTURE)
    assert len(kept) == 10
    assert kept.scores.min() == _extractor(_Half()).extract(PICTURE).scores.max() - 9


@pytest.mark.parametrize("longest_side", [50, 100, 400])
def test_keypoints_lie_where_they_are_in_the_crop(longest_side: int) -> None:
    """Whatever the scale: a bright column is found where it stands."""
    picture = PICTURE.copy()
    picture[:, 80:96] = 255
    kept = CropExtractor(_Bright(), longest_side, _Half()).extract(picture)
    assert _across(kept).mean() == pytest.approx(88 / WIDTH, abs=0.01)


@pytest.mark.parametrize("share", [0.0, 0.9])
def test_a_mask_that_is_not_to_be_gone_by_drops_nothing(share: float) -> None:
    kept = _extractor(_Half(share=share), longest_side=2 * WIDTH).extract(PICTURE)
    assert (kept.width, kept.height, kept.window) == (
        WIDTH,
        HEIGHT,
        WHOLE_PICTURE,
    )  # not enlarged either
    assert len(kept) == WIDTH
    assert _across(kept).max() > 0.99


def test_a_speck_beside_the_animal_is_no_part_of_it() -> None:
    kept = _across(_extractor(_Speckled()).extract(PICTURE))
    assert kept.max() == pytest.approx(0.5 + MARGIN * (0.5 + SURROUNDINGS), abs=0.01)


def test_a_picture_without_keypoints_has_none_on_the_animal() -> None:
    extractor = CropExtractor(_Nothing(), 400, _Half())
    assert len(extractor.extract(PICTURE)) == 0


def test_the_models_name_tells_what_happens_before_the_network() -> None:
    made = [
        CropExtractor(_Row(), 400),
        CropExtractor(_Row(), 200),
        _extractor(_Half()),
        _extractor(_Half(fingerprint="other")),
    ]
    assert {(each.model.name, each.model.version) for each in made} == {("row", "1")}
    assert len({each.model.preprocessing for each in made}) == 4


def test_every_way_to_tell_the_animal_has_its_own_name() -> None:
    names = {
        build_engine(settings).extractor.model.preprocessing
        for settings in (
            MatcherSettings(extractor="xfeat"),
            MatcherSettings(extractor="xfeat", segmenter="grabcut"),
        )
    }
    assert len(names) == 2


def test_learning_backgrounds_is_the_same_model_kept_under_another_name() -> None:
    on, off = (
        build_engine(MatcherSettings(extractor="xfeat", background=background)).extractor.model
        for background in ("on", "off")
    )
    assert on == off
    assert kept_as(on).preprocessing != on.preprocessing


def test_an_animal_on_its_own_ground_keeps_only_its_own_keypoints() -> None:
    """A textured body on textured ground of another colour, through the real network."""
    rng = np.random.default_rng(0)
    picture = np.kron(rng.integers(0, 90, (24, 36, 3)), np.ones((10, 10, 1))).astype(np.uint8)
    body = np.kron(rng.integers(150, 250, (12, 18, 3)), np.ones((10, 10, 1))).astype(np.uint8)
    picture[60:180, 90:270] = body
    masked = build_engine(MatcherSettings(extractor="xfeat", segmenter="grabcut", keypoints=128))
    found = masked.extractor.extract(picture)
    x, y = (found.in_crop() * np.array([360, 240])).T
    reach = MARGIN * 360 + 4
    inside = (x > 90 - reach) & (x < 270 + reach) & (y > 60 - reach) & (y < 180 + reach)
    assert 20 < len(x) <= 128
    assert inside.mean() > 0.95


def test_a_segmenter_without_its_file_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"SEGMENTER_PATH='nowhere\.onnx'"):
        build_engine(
            MatcherSettings(extractor="xfeat", segmenter="onnx", segmenter_path="nowhere.onnx")
        )
