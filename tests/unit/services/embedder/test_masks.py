"""The embedder finds each animal, stores its mask, and shows a model of animals alone no more."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.embedder.encoders.onnx_encoder import OnnxEncoder
from shared.embeddings import unpack
from shared.errors import SettingsError
from shared.foreground.animal import finder
from shared.foreground.stored_mask import read
from shared.images.rgb import Pixels
from shared.messages import Animal, Box, Capture
from tests.support.embedder_bench import Place, sightings
from tests.support.samples.model_files import tiny_model
from tests.support.samples.pictures import encoded


class Dark:
    """Sees the animal where a picture is dark."""

    fingerprint = "dark"
    surroundings = True

    def masks(self, images: Sequence[Pixels]) -> list[NDArray[np.bool_]]:
        return [np.asarray(image.max(axis=2) < 90) for image in images]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    tiny_model(tmp_path / "tiny.onnx")
    return Place(tmp_path)


def _dark_body(ground: int = 0) -> bytes:
    """A picture, 600 x 400, with a dark body at columns 100 to 299, rows 100 to 299."""
    tiles = np.random.default_rng(ground).integers(100, 256, (8, 12, 3), dtype=np.uint8)
    picture = np.kron(tiles, np.ones((50, 50, 1), np.uint8))
    picture[100:300, 100:300] = np.random.default_rng(0).integers(0, 40, (200, 200, 3))
    return encoded(picture, "PNG")


def test_a_model_of_animals_alone_is_shown_nothing_else(place: Place) -> None:
    """Whatever stands around the animal, its embedding is the same; a model of crops sees it."""
    captures = [Capture(inline=_dark_body(ground)) for ground in (0, 1)]
    apart = {}
    for finds in ("", finder(Dark())):
        tiny_model(place.model, finds=finds)
        found = sightings(place.service(segmenter=Dark()), *captures)
        one, other = (unpack(each.embedding) for each in found)
        apart[finds] = float(np.linalg.norm(one - other))
        assert found[0].embedding.model == OnnxEncoder(place.model).model
    assert apart[finder(Dark())] < apart[""] / 4


def test_a_model_of_animals_alone_wants_them_found_as_it_learnt(place: Place) -> None:
    tiny_model(place.model, finds=finder(Dark()))
    other = Dark()
    other.fingerprint = "darker"
    for segmenter in (None, other):
        with pytest.raises(SettingsError, match="RESIGHT_SEGMENTER_KIND=u2netp"):
            place.service(segmenter=segmenter)


def test_the_animals_mask_is_stored_beside_its_crop(place: Place) -> None:
    box = Box(x=1 / 12, y=0, width=5 / 12, height=1)  # columns 50 to 299
    capture = Capture(inline=_dark_body(), animals=[Animal(box=box)])
    (sighting,) = sightings(place.service(segmenter=Dark()), capture)
    found = read(sighting.mask, place.crops)
    height, width = found.mask.shape
    rows, columns = (np.flatnonzero(found.mask.any(axis=axis)) for axis in (1, 0))
    assert (rows[0] / height, (rows[-1] + 1) / height) == pytest.approx((0.25, 0.75), abs=0.01)
    assert (columns[0] / width, (columns[-1] + 1) / width) == pytest.approx((0.2, 1), abs=0.01)
    assert sighting.mask.finder == finder(Dark())


def test_a_mask_that_is_not_to_be_gone_by_says_why(place: Place) -> None:
    right = Box(x=0.4, y=0, width=0.6, height=1)
    animals = [Animal(box=right), Animal(box=Box(x=0.2, y=0.3, width=0.1, height=0.1))]
    capture = Capture(inline=_dark_body(), animals=animals)
    masks = [each.mask for each in sightings(place.service(segmenter=Dark()), capture)]
    assert [mask.unused for mask in masks] == ["beside", "small"]
    assert not any(mask.HasField("image") for mask in masks)


def test_without_a_segmenter_nothing_is_said_of_a_mask(place: Place) -> None:
    (sighting,) = sightings(place.service(), Capture(inline=_dark_body()))
    assert not sighting.HasField("mask")
