"""Where the matcher takes masks from: the embedder's where they fit, else its own."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from services.matcher.cache.crop_keypoints import CropKeypoints
from shared.blobs import BlobStore
from shared.foreground.animal import Animal, finder
from shared.foreground.stored_mask import keep
from shared.images.codec import encode_jpeg
from shared.keypoints.extractors.crop_extractor import CropExtractor
from shared.keypoints.extractors.xfeat import XFeatExtractor
from shared.keypoints.keypoints import Keypoints
from shared.keypoints.stored import StoredKeypoints
from shared.messages import BlobReference, Candidate, Mask

RANDOM = np.random.default_rng(0)
COAT = np.kron(RANDOM.integers(0, 256, (24, 36, 3)), np.ones((10, 10, 1))).astype(np.uint8)


MISSING = BlobReference(key="masks/none.png", sha256="0" * 64, size=9)


class _Left:
    """Sees the animal on the left half, and counts how often it is asked."""

    fingerprint = "left"
    surroundings = True

    def __init__(self) -> None:
        self.asked = 0

    def masks(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
        self.asked += len(images)
        return [
            np.broadcast_to(np.arange(image.shape[1]) < image.shape[1] // 2, image.shape[:2]).copy()
            for image in images
        ]


@pytest.fixture
def place(tmp_path: Path) -> SimpleNamespace:
    store, segmenter = BlobStore(tmp_path.as_uri()), _Left()
    detector = XFeatExtractor(128)
    extractor, network = (
        CropExtractor(detector, 384, segmenter),
        CropExtractor(detector, 384),
    )
    return SimpleNamespace(
        store=store,
        segmenter=segmenter,
        crop=store.put("crops/a.jpg", encode_jpeg(COAT, 95)),
        masked=CropKeypoints(store, extractor, StoredKeypoints(store, extractor.model), 10**7),
        whole=CropKeypoints(store, network, StoredKeypoints(store, network.model), 10**7),
    )


def _right(place: SimpleNamespace, by: str) -> Mask:
    """A mask that the embedder stored: of the right half, other than the segmenter here says."""
    return keep(Animal(np.repeat([[False, True]], 2, axis=0), "used"), by, place.store)


def _across(crops: CropKeypoints, place: SimpleNamespace, mask: Mask | None) -> NDArray[np.float64]:
    [found] = crops.find([Candidate(crop=place.crop, mask=mask)])
    assert isinstance(found, Keypoints)
    assert len(found) > 10
    return found.in_crop()[:, 0]


def test_the_embedders_mask_is_taken_if_the_same_finder_made_it(place: SimpleNamespace) -> None:
    across = _across(place.masked, place, _right(place, finder(place.segmenter)))
    assert across.min() > 0.45
    assert place.segmenter.asked == 0


def test_why_the_embedders_mask_is_not_used_is_taken_too(place: SimpleNamespace) -> None:
    across = _across(place.masked, place, Mask(unused="all", finder=finder(place.segmenter)))
    assert across.min() < 0.1
    assert across.max() > 0.9
    assert place.segmenter.asked == 0


@pytest.mark.parametrize(
    "mask",
    [
        None,
        Mask(unused="all", finder="another"),
        Mask(finder="left"),
        Mask(unused="nonsense", finder=finder(_Left())),
        Mask(
            image=BlobReference(key="masks/none.png", sha256="0" * 64, size=9),
            finder=finder(_Left()),
        ),
    ],
)
def test_a_mask_that_is_missing_or_not_of_this_finder_is_made_from_the_crop(
    place: SimpleNamespace, mask: Mask | None
) -> None:
    assert _across(place.masked, place, mask).max() < 0.55
    assert place.segmenter.asked == 1


def test_who_looks_at_whole_crops_reads_no_mask(place: SimpleNamespace) -> None:
    across = _across(place.whole, place, _right(place, ""))
    assert across.min() < 0.1
