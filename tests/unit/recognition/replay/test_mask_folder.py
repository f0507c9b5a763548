"""Masks are found once for a picture, whoever asks again."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.replay.mask_folder import MaskFolder
from shared.errors import ResightError


class _Bright:
    """Sees the animal where a picture is bright, and counts how often it is asked."""

    fingerprint = "bright"
    surroundings = True
    asked = 0

    def masks(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
        self.asked += len(images)
        return [np.asarray(image[..., 0] > 127) for image in images]


PICTURE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.mark.parametrize("picture", [PICTURE, np.zeros_like(PICTURE)])
def test_a_picture_is_shown_to_the_segmenter_once(
    tmp_path: Path, picture: NDArray[np.uint8]
) -> None:
    segmenter = _Bright()
    for _ in range(3):
        found = MaskFolder(segmenter, tmp_path).masks([picture])[0]
        np.testing.assert_array_equal(found, picture[..., 0] > 127)
    assert segmenter.asked == 1


def test_other_pictures_and_other_segmenters_have_masks_of_their_own(tmp_path: Path) -> None:
    segmenter, other = _Bright(), _Bright()
    other.fingerprint = "other"
    MaskFolder(segmenter, tmp_path).masks([PICTURE])[0]
    MaskFolder(segmenter, tmp_path).masks([PICTURE.reshape(60, 40, 3)])[0]
    MaskFolder(other, tmp_path).masks([PICTURE])[0]
    assert (segmenter.asked, other.asked) == (2, 1)


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    MaskFolder(_Bright(), tmp_path).masks([PICTURE])[0]
    [file] = tmp_path.rglob("*.png")
    file.write_bytes(b"nonsense")
    with pytest.raises(ResightError, match="delete it"):
        MaskFolder(_Bright(), tmp_path).masks([PICTURE])[0]
