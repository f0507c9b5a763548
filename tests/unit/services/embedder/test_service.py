"""The embedder's handler: captures in, sightings out."""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.embedder.encoders.onnx_encoder import OnnxEncoder
from services.embedder.service import EmbedderService
from services.embedder.settings import EmbedderSettings
from shared.embeddings import unpack
from shared.errors import Poison, SettingsError
from shared.identifiers import sighting_id
from shared.images import codec
from shared.images.rgb import Pixels
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
from tests.support.embedder_bench import Place, sightings
from tests.support.samples.model_files import SIDE, tiny_model
from tests.support.samples.pictures import encoded, photograph, scene

LEFT_HALF = Box(x=0, y=0, width=0.5, height=1)
RIGHT_HALF = Box(x=0.5, y=0, width=0.5, height=1)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    tiny_model(tmp_path / "tiny.onnx")
    return Place(tmp_path)


def _crop_of(place: Place, sighting: Sighting) -> Pixels:
    return codec.decode(place.crops.get(sighting.crop, 10**8))


def test_a_capture_without_boxes_is_one_sighting_of_the_whole_picture(place: Place) -> None:
    image = photograph()
    (sighting,) = sightings(
        place.service(),
        Capture(inline=image, species="Plains zebra", population="Ol Pejeta", deployment="cam-1"),
    )
    digest = hashlib.sha256(image).hexdigest()
    assert sighting.image_sha256 == sighting.capture_id == digest
    assert sighting.box == Box(x=0, y=0, width=1, height=1)
    assert sighting.alone
    assert sighting.sighting_id == sighting_id(digest, sighting.box)
    assert sighting.gallery == "ol-pejeta/plains-zebra"
    assert sighting.crop.key == f"crops/{sighting.sighting_id[:2]}/{sighting.sighting_id}.jpg"
    assert np.linalg.norm(unpack(sighting.embedding)) == pytest.approx(1, abs=1e-5)


def test_each_box_is_a_sighting_with_a_crop_and_an_embedding_of_its_own(place: Place) -> None:
    animals = [Animal(box=LEFT_HALF, viewpoint=VIEWPOINT_LEFT), Animal(box=RIGHT_HALF)]
    left, right = sightings(
        place.service(),
        Capture(inline=photograph(), animals=animals, viewpoint=VIEWPOINT_RIGHT),
    )
    assert left.sighting_id != right.sighting_id
    assert not left.alone
    assert not right.alone
    assert left.embedding != right.embedding
    assert (left.viewpoint, right.viewpoint) == (VIEWPOINT_LEFT, VIEWPOINT_RIGHT)
    assert _crop_of(place, left).shape == _crop_of(place, right).shape == (240, 160, 3)
    assert np.abs(_crop_of(place, left).astype(int) - scene()[:, :160]).mean() < 4


def test_the_same_box_twice_is_one_sighting(place: Place) -> None:
    animals = [Animal(box=LEFT_HALF), Animal(box=LEFT_HALF)]
    assert len(sightings(place.service(), Capture(inline=photograph(), animals=animals))) == 1


def test_a_replay_gives_the_same_sightings_to_the_byte(place: Place) -> None:
    captures = [Capture(inline=photograph(seed=seed), deployment="cam") for seed in range(5)]
    again = place.service()
    assert sightings(place.service(), *captures) == sightings(again, *captures)


@pytest.mark.parametrize("max_batch", [1, 2, 5, 32])
def test_what_shares_a_batch_does_not_change_an_embedding(place: Place, max_batch: int) -> None:
    captures = [Capture(inline=photograph(seed=seed)) for seed in range(7)]
    together = sightings(place.service(max_batch=max_batch), *captures)
    for capture, sighting in zip(captures, together, strict=True):
        (alone,) = sightings(place.service(), capture)
        difference = np.abs(unpack(alone.embedding) - unpack(sighting.embedding))
        assert difference.max() < 1e-6


def test_an_embedding_can_be_made_again_from_the_stored_crop(place: Place) -> None:
    (sighting,) = sightings(place.service(), Capture(inline=photograph(2400, 1800)))
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
    (sighting,) = sightings(place.service(), Capture(inline=photograph(width, height)))
    assert max(_crop_of(place, sighting).shape[:2]) == longest


def test_a_small_box_keeps_the_detail_of_a_large_picture(place: Place) -> None:
    box = Box(x=0.25, y=0.25, width=0.125, height=0.125)
    (sighting,) = sightings(
        place.service(), Capture(inline=photograph(4000, 3000), animals=[Animal(box=box)])
    )
    assert _crop_of(place, sighting).shape == (375, 500, 3)


def test_a_box_a_little_past_the_border_is_clipped(place: Place) -> None:
    box = Box(x=-0.005, y=0.5, width=1.01, height=0.505)
    (sighting,) = sightings(
        place.service(), Capture(inline=photograph(), animals=[Animal(box=box)])
    )
    assert _crop_of(place, sighting).shape == (120, 320, 3)
    assert sighting.box == box


def test_boxes_refer_to_the_picture_as_displayed(place: Place) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side
    upright = photograph(exif=exif, quality=98)
    top = Animal(box=Box(x=0, y=0, width=1, height=0.5))
    (sighting,) = sightings(place.service(), Capture(inline=upright, animals=[top]))
    displayed = np.rot90(scene(), -1)
    crop = _crop_of(place, sighting)
    assert crop.shape == (160, 240, 3)
    assert np.abs(crop.astype(int) - displayed[:160]).mean() < 4


def test_what_the_message_says_wins_over_exif(place: Place) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:05:31 17:04:09"
    capture = Capture(inline=photograph(exif=exif))
    (from_exif,) = sightings(place.service(), capture)
    assert from_exif.captured_at.ToJsonString() == "2026-05-31T17:04:09Z"
    capture.clock_correction.FromJsonString("-7200s")  # the clock showed a local time
    (corrected,) = sightings(place.service(), capture)
    assert corrected.captured_at.ToJsonString() == "2026-05-31T15:04:09Z"
    capture.captured_at.FromJsonString("2026-06-01T00:00:00Z")
    (from_message,) = sightings(place.service(), capture)
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
    lion, zebra = sightings(
        place.service(), Capture(inline=photograph(), species="zebra", animals=animals)
    )
    assert (lion.species, lion.gallery) == ("Lion", "default/lion")
    assert (zebra.species, zebra.gallery) == ("zebra", "default/zebra")


def test_a_thin_crop_says_that_it_cant_be_compared(place: Place) -> None:
    thin = Animal(box=Box(x=0.5, y=0.5, width=0.5, height=0.01))
    good, bad = sightings(
        place.service(), Capture(inline=photograph(), animals=[Animal(box=LEFT_HALF), thin])
    )
    assert good.incomparable == ""
    assert "shorter side has 2 pixels" in bad.incomparable


def test_the_model_s_viewpoint_fills_in_where_the_message_has_none(place: Place) -> None:
    tiny_model(place.model, viewpoint=VIEWPOINT_RIGHT)
    told = Animal(box=LEFT_HALF, viewpoint=VIEWPOINT_LEFT)
    first, second = sightings(
        place.service(), Capture(inline=photograph(), animals=[told, Animal(box=RIGHT_HALF)])
    )
    assert (first.viewpoint, second.viewpoint) == (VIEWPOINT_LEFT, VIEWPOINT_RIGHT)


def test_other_crop_settings_make_another_model_of_it(place: Place) -> None:
    capture = Capture(inline=photograph())
    (one,) = sightings(place.service(), capture)
    (other,) = sightings(place.service(EmbedderSettings(crop_quality=70)), capture)
    assert one.embedding.model.preprocessing != other.embedding.model.preprocessing
    assert one.embedding.model == OnnxEncoder(place.model).model


def test_a_model_exported_for_another_preparation_is_refused(place: Place) -> None:
    encoder = OnnxEncoder(place.model)
    encoder.model.preprocessing = "0123456789ab"
    with pytest.raises(SettingsError, match="export it again"):
        EmbedderService(encoder, place.crops, place.captures, EmbedderSettings())


def test_nothing_is_asked_of_the_model_when_every_capture_is_poison(place: Place) -> None:
    results: Sequence[object] = place.service().handle([Capture(inline=b"BM")])
    assert isinstance(results[0], Poison)


def test_a_png_gives_the_crop_of_the_same_pixels(place: Place) -> None:
    (sighting,) = sightings(place.service(), Capture(inline=encoded(scene(), "PNG")))
    assert np.abs(_crop_of(place, sighting).astype(int) - scene()).mean() < 4
