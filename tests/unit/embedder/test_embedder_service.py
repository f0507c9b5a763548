"""The embedder's handler: captures in, sightings out."""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from services.embedder.onnx_encoder import OnnxEncoder
from services.embedder.service import EmbedderService
from services.embedder.settings import EmbedderSettings
from shared import images
from shared.blobs import BlobStore
from shared.embeddings import unpack
from shared.errors import Poison, SettingsError
from shared.foreground.animal import finder
from shared.foreground.segmenter import Segmenter
from shared.foreground.stored_mask import read
from shared.identifiers import sighting_id
from shared.messages import (
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    Animal,
    Box,
    Capture,
    ImagePlace,
    Sighting,
)
from shared.messages import Place as WhereTaken
from shared.rgb import Pixels
from tests.model_files import SIDE, tiny_model
from tests.pictures import encoded, photograph, scene

LEFT_HALF = Box(x=0, y=0, width=0.5, height=1)
RIGHT_HALF = Box(x=0.5, y=0, width=0.5, height=1)


class Place:
    """A folder with a model and both stores."""

    def __init__(self, folder: Path) -> None:
        self.crops = BlobStore(f"file://{folder}/crops")
        self.captures = BlobStore(f"file://{folder}/captures")
        self.model = folder / "tiny.onnx"

    def service(
        self,
        settings: EmbedderSettings | None = None,
        *,
        max_batch: int = 32,
        segmenter: Segmenter | None = None,
    ) -> EmbedderService:
        return EmbedderService(
            OnnxEncoder(self.model, threads=1),
            self.crops,
            self.captures,
            settings or EmbedderSettings(),
            max_batch=max_batch,
            segmenter=segmenter,
        )


class Dark:
    """Sees the animal where a picture is dark."""

    fingerprint = "dark"
    surroundings = True

    def mask(self, image: Pixels) -> NDArray[np.bool_]:
        return np.asarray(image.max(axis=2) < 90)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    tiny_model(tmp_path / "tiny.onnx")
    return Place(tmp_path)


def _sightings(service: EmbedderService, *captures: Capture) -> list[Sighting]:
    found: list[Sighting] = []
    for result in service.handle(captures):
        assert not isinstance(result, Poison), result.reason
        found.extend(message for message in result if isinstance(message, Sighting))
    return found


def _crop_of(place: Place, sighting: Sighting) -> Pixels:
    return images.decode(place.crops.get(sighting.crop, 10**8))


def test_a_capture_without_boxes_is_one_sighting_of_the_whole_picture(place: Place) -> None:
    image = photograph()
    (sighting,) = _sightings(
        place.service(),
        Capture(inline=image, species="Plains zebra", population="Ol Pejeta", deployment="cam-1"),
    )
    digest = hashlib.sha256(image).hexdigest()
    assert sighting.image_sha256 == sighting.capture_id == digest
    assert sighting.box == Box(x=0, y=0, width=1, height=1)
    assert sighting.sighting_id == sighting_id(digest, sighting.box)
    assert sighting.gallery == "ol-pejeta/plains-zebra"
    assert sighting.crop.key == f"crops/{sighting.sighting_id[:2]}/{sighting.sighting_id}.jpg"
    assert np.linalg.norm(unpack(sighting.embedding)) == pytest.approx(1, abs=1e-5)


def test_each_box_is_a_sighting_with_a_crop_and_an_embedding_of_its_own(place: Place) -> None:
    animals = [Animal(box=LEFT_HALF, viewpoint=VIEWPOINT_LEFT), Animal(box=RIGHT_HALF)]
    left, right = _sightings(
        place.service(),
        Capture(inline=photograph(), animals=animals, viewpoint=VIEWPOINT_RIGHT),
    )
    assert left.sighting_id != right.sighting_id
    assert left.embedding != right.embedding
    assert (left.viewpoint, right.viewpoint) == (VIEWPOINT_LEFT, VIEWPOINT_RIGHT)
    assert _crop_of(place, left).shape == _crop_of(place, right).shape == (240, 160, 3)
    assert np.abs(_crop_of(place, left).astype(int) - scene()[:, :160]).mean() < 4


def test_the_same_box_twice_is_one_sighting(place: Place) -> None:
    animals = [Animal(box=LEFT_HALF), Animal(box=LEFT_HALF)]
    assert len(_sightings(place.service(), Capture(inline=photograph(), animals=animals))) == 1


def test_a_replay_gives_the_same_sightings_to_the_byte(place: Place) -> None:
    captures = [Capture(inline=photograph(seed=seed), deployment="cam") for seed in range(5)]
    again = place.service()
    assert _sightings(place.service(), *captures) == _sightings(again, *captures)


@pytest.mark.parametrize("max_batch", [1, 2, 5, 32])
def test_what_shares_a_batch_does_not_change_an_embedding(place: Place, max_batch: int) -> None:
    captures = [Capture(inline=photograph(seed=seed)) for seed in range(7)]
    together = _sightings(place.service(max_batch=max_batch), *captures)
    for capture, sighting in zip(captures, together, strict=True):
        (alone,) = _sightings(place.service(), capture)
        difference = np.abs(unpack(alone.embedding) - unpack(sighting.embedding))
        assert difference.max() < 1e-6


def test_an_embedding_can_be_made_again_from_the_stored_crop(place: Place) -> None:
    (sighting,) = _sightings(place.service(), Capture(inline=photograph(2400, 1800)))
    crop = place.crops.get(sighting.crop, 10**8)
    image = Image.open(io.BytesIO(crop)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    encoding = OnnxEncoder(place.model).encode(np.asarray(image)[None])
    assert np.array_equal(encoding.embeddings[0], unpack(sighting.embedding))


@pytest.mark.parametrize(
    ("width", "height", "longest"),
    [(2400, 1800, 1024), (4000, 20, 1024), (20, 4000, 1024), (1, 1, 1), (3, 700, 700)],
)
def test_crops_are_shrunk_but_never_enlarged(
    place: Place, width: int, height: int, longest: int
) -> None:
    (sighting,) = _sightings(place.service(), Capture(inline=photograph(width, height)))
    assert max(_crop_of(place, sighting).shape[:2]) == longest


def test_a_small_box_keeps_the_detail_of_a_large_picture(place: Place) -> None:
    box = Box(x=0.25, y=0.25, width=0.125, height=0.125)
    (sighting,) = _sightings(
        place.service(), Capture(inline=photograph(4000, 3000), animals=[Animal(box=box)])
    )
    assert _crop_of(place, sighting).shape == (375, 500, 3)


def test_a_box_a_little_past_the_border_is_clipped(place: Place) -> None:
    box = Box(x=-0.005, y=0.5, width=1.01, height=0.505)
    (sighting,) = _sightings(
        place.service(), Capture(inline=photograph(), animals=[Animal(box=box)])
    )
    assert _crop_of(place, sighting).shape == (120, 320, 3)
    assert sighting.box == box


def test_boxes_refer_to_the_picture_as_displayed(place: Place) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side
    upright = photograph(exif=exif, quality=98)
    top = Animal(box=Box(x=0, y=0, width=1, height=0.5))
    (sighting,) = _sightings(place.service(), Capture(inline=upright, animals=[top]))
    displayed = np.rot90(scene(), -1)
    crop = _crop_of(place, sighting)
    assert crop.shape == (160, 240, 3)
    assert np.abs(crop.astype(int) - displayed[:160]).mean() < 4


def test_what_the_message_says_wins_over_exif(place: Place) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:05:31 17:04:09"
    capture = Capture(inline=photograph(exif=exif))
    (from_exif,) = _sightings(place.service(), capture)
    assert from_exif.captured_at.ToJsonString() == "2026-05-31T17:04:09Z"
    capture.captured_at.FromJsonString("2026-06-01T00:00:00Z")
    (from_message,) = _sightings(place.service(), capture)
    assert from_message.captured_at == capture.captured_at


def test_where_a_picture_was_taken_goes_to_the_registry_and_into_no_sighting(place: Place) -> None:
    where = WhereTaken(latitude=-0.5, longitude=36.9)
    image = photograph()
    animals = [Animal(box=LEFT_HALF), Animal(box=RIGHT_HALF)]
    capture = Capture(inline=image, deployment="cam-1", animals=animals, place=where)
    (result,) = place.service().handle([capture])
    assert not isinstance(result, Poison)
    told, *sightings = result
    digest = hashlib.sha256(image).hexdigest()
    assert told == ImagePlace(image_sha256=digest, deployment="cam-1", place=where)
    assert [type(each) for each in sightings] == [Sighting, Sighting]
    assert "place" not in Sighting.DESCRIPTOR.fields_by_name


def test_animals_of_one_picture_may_be_of_different_species(place: Place) -> None:
    animals = [Animal(box=LEFT_HALF, species="Lion"), Animal(box=RIGHT_HALF)]
    lion, zebra = _sightings(
        place.service(), Capture(inline=photograph(), species="zebra", animals=animals)
    )
    assert (lion.species, lion.gallery) == ("Lion", "default/lion")
    assert (zebra.species, zebra.gallery) == ("zebra", "default/zebra")


def test_a_thin_crop_says_that_it_cant_be_compared(place: Place) -> None:
    thin = Animal(box=Box(x=0.5, y=0.5, width=0.5, height=0.01))
    good, bad = _sightings(
        place.service(), Capture(inline=photograph(), animals=[Animal(box=LEFT_HALF), thin])
    )
    assert good.incomparable == ""
    assert "shorter side has 2 pixels" in bad.incomparable


def test_the_model_s_viewpoint_fills_in_where_the_message_has_none(place: Place) -> None:
    tiny_model(place.model, viewpoint=VIEWPOINT_RIGHT)
    told = Animal(box=LEFT_HALF, viewpoint=VIEWPOINT_LEFT)
    first, second = _sightings(
        place.service(), Capture(inline=photograph(), animals=[told, Animal(box=RIGHT_HALF)])
    )
    assert (first.viewpoint, second.viewpoint) == (VIEWPOINT_LEFT, VIEWPOINT_RIGHT)


def test_other_crop_settings_make_another_model_of_it(place: Place) -> None:
    capture = Capture(inline=photograph())
    (one,) = _sightings(place.service(), capture)
    (other,) = _sightings(place.service(EmbedderSettings(crop_quality=70)), capture)
    assert one.embedding.model.preprocessing != other.embedding.model.preprocessing
    assert one.embedding.model == OnnxEncoder(place.model).model


def test_a_model_exported_for_another_preparation_is_refused(place: Place) -> None:
    encoder = OnnxEncoder(place.model)
    encoder.model.preprocessing = "0123456789ab"
    with pytest.raises(SettingsError, match="export it again"):
        EmbedderService(encoder, place.crops, place.captures, EmbedderSettings())


def test_a_model_of_animals_alone_is_shown_nothing_else(place: Place) -> None:
    """Whatever stands around the animal, its embedding is the same; a model of crops sees it."""
    captures = [Capture(inline=_dark_body(ground)) for ground in (0, 1)]
    apart = {}
    for finds in ("", finder(Dark())):
        tiny_model(place.model, finds=finds)
        found = _sightings(place.service(segmenter=Dark()), *captures)
        one, other = (unpack(each.embedding) for each in found)
        apart[finds] = float(np.linalg.norm(one - other))
        assert found[0].embedding.model == OnnxEncoder(place.model).model
    assert apart[finder(Dark())] < apart[""] / 4


def test_a_model_of_animals_alone_wants_them_found_as_it_learnt(place: Place) -> None:
    tiny_model(place.model, finds=finder(Dark()))
    other = Dark()
    other.fingerprint = "darker"
    for segmenter in (None, other):
        with pytest.raises(SettingsError, match="RESIGHT_EMBEDDER_SEGMENTER=u2netp"):
            place.service(segmenter=segmenter)


def test_nothing_is_asked_of_the_model_when_every_capture_is_poison(place: Place) -> None:
    results: Sequence[object] = place.service().handle([Capture(inline=b"BM")])
    assert isinstance(results[0], Poison)


def test_a_png_gives_the_crop_of_the_same_pixels(place: Place) -> None:
    (sighting,) = _sightings(place.service(), Capture(inline=encoded(scene(), "PNG")))
    assert np.abs(_crop_of(place, sighting).astype(int) - scene()).mean() < 4


def _dark_body(ground: int = 0) -> bytes:
    """A picture, 600 x 400, with a dark body at columns 100 to 299, rows 100 to 299."""
    tiles = np.random.default_rng(ground).integers(100, 256, (8, 12, 3), dtype=np.uint8)
    picture = np.kron(tiles, np.ones((50, 50, 1), np.uint8))
    picture[100:300, 100:300] = np.random.default_rng(0).integers(0, 40, (200, 200, 3))
    return encoded(picture, "PNG")


def test_the_animals_mask_is_stored_beside_its_crop(place: Place) -> None:
    box = Box(x=1 / 12, y=0, width=5 / 12, height=1)  # columns 50 to 299
    capture = Capture(inline=_dark_body(), animals=[Animal(box=box)])
    (sighting,) = _sightings(place.service(segmenter=Dark()), capture)
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
    masks = [each.mask for each in _sightings(place.service(segmenter=Dark()), capture)]
    assert [mask.unused for mask in masks] == ["beside", "small"]
    assert not any(mask.HasField("image") for mask in masks)


def test_without_a_segmenter_nothing_is_said_of_a_mask(place: Place) -> None:
    (sighting,) = _sightings(place.service(), Capture(inline=_dark_body()))
    assert not sighting.HasField("mask")
