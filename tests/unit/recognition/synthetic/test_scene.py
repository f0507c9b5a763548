"""Scenes: boxes fit, plants hide little, and a camera always sees its own place."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.synthetic.animal import Aspect, Cutout, draw_animal
from recognition.synthetic.build import Pose
from recognition.synthetic.coat import grow
from recognition.synthetic.light import Light, light_at
from recognition.synthetic.place import draw_place
from recognition.synthetic.plants import Brush, cut_out
from recognition.synthetic.scene import MOST_HIDDEN, Placed, photograph
from recognition.synthetic.species import SPECIES

SIZE = (320, 240)
PLACE = draw_place((5,), SIZE)
MAGENTA = np.array([255.0, 0.0, 255.0])


def _leopard() -> Cutout:
    species = SPECIES["drawn leopard"]
    pose, aspect = Pose(0.1, 12, 0, 0, 0, 0), Aspect(0.25, 10.0, 0.0, mirrored=False)
    return draw_animal(species, grow(species.style, (1,)), pose, aspect, np.random.default_rng(0))


def _painted(cutout: Cutout) -> Cutout:
    """The animal in a colour that nothing else has."""
    colour = (cutout.cover[..., None] * MAGENTA).astype(np.float32)
    return Cutout(colour, cutout.cover, cutout.eye, cutout.ground)


def test_the_box_is_where_the_animal_is() -> None:
    cutout = _leopard()
    taken = photograph(PLACE, [Placed(cutout, 160, 200)], Light.DAY, np.random.default_rng(1))
    (box,) = taken.boxes
    rows, columns = np.nonzero(cutout.cover > 0.5)
    assert box.width * SIZE[0] == pytest.approx(np.ptp(columns) + 1)
    assert box.height * SIZE[1] == pytest.approx(np.ptp(rows) + 1)
    assert (box.y + box.height) * SIZE[1] == pytest.approx(200, abs=6)


def test_the_silhouette_is_that_of_the_animal_where_it_stands() -> None:
    cutout = _painted(_leopard())
    taken = photograph(PLACE, [Placed(cutout, 160, 200)], Light.DAY, np.random.default_rng(1))
    red, green, blue = np.moveaxis(taken.image.astype(float), 2, 0)
    seen = np.minimum(red, blue) - green > 100
    (silhouette,) = taken.silhouettes
    assert silhouette[seen].mean() > 0.97
    assert seen[silhouette].mean() >= 1.0 - MOST_HIDDEN


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("overgrown", [0.0, 1.0])
def test_plants_hide_little_of_an_animal(seed: int, overgrown: float) -> None:
    cutout = _painted(_leopard())
    cover = np.maximum(PLACE.front_cover, overgrown)
    colour = np.where(overgrown, np.float32(60.0), PLACE.front_colour)
    place = replace(PLACE, front_cover=cover, front_colour=colour)
    standing = Placed(cutout, 160, 225)
    taken = photograph(place, [standing], Light.DAY, np.random.default_rng(seed))
    red, green, blue = np.moveaxis(taken.image.astype(float), 2, 0)
    visible = (np.minimum(red, blue) - green > 100).sum() / (cutout.cover > 0.5).sum()
    assert visible >= 1.0 - MOST_HIDDEN


def test_an_animal_outside_of_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="outside the picture"):
        photograph(PLACE, [Placed(_leopard(), 900, 200)], Light.DAY, np.random.default_rng(1))


def test_pictures_of_one_camera_share_their_background_and_others_do_not() -> None:
    def sky(seed: tuple[int, ...], x: float) -> NDArray[np.float64]:
        place = draw_place(seed, SIZE)
        standing = Placed(_leopard(), x, 210)
        taken = photograph(place, [standing], Light.DAY, np.random.default_rng(int(x)))
        return taken.image[:60].astype(float).ravel()

    same = np.corrcoef(sky((1,), 120), sky((1,), 200))[0, 1]
    other = np.corrcoef(sky((1,), 120), sky((2,), 200))[0, 1]
    assert same > 0.9
    assert other < 0.75


def test_at_night_pictures_are_grey_and_an_eye_shines() -> None:
    cutout = _leopard()
    taken = photograph(PLACE, [Placed(cutout, 160, 200)], Light.NIGHT, np.random.default_rng(1))
    assert (taken.image[..., 0] == taken.image[..., 2]).all()
    eye_x = round(160 - cutout.cover.shape[1] / 2 + cutout.eye[0])
    eye_y = round(200 - cutout.ground + cutout.eye[1])
    assert taken.image[eye_y, eye_x, 0] > 2 * np.median(taken.image)


@pytest.mark.parametrize(
    ("hour", "light"),
    [
        (3.0, Light.NIGHT),
        (6.5, Light.DUSK),
        (12.0, Light.DAY),
        (18.0, Light.DUSK),
        (22, Light.NIGHT),
    ],
)
def test_light_follows_the_hour(hour: float, light: Light) -> None:
    assert light_at(hour) is light


def test_a_cut_out_lies_over_any_ground_as_if_drawn_on_it() -> None:
    def draw(brush: Brush) -> None:
        brush.image[2:5, 2:5] = brush.rng.integers(1, 255, 3)

    colour, cover = cut_out((8, 8), PLACE.palette, 3, draw)
    assert cover[3, 3] == 1.0
    assert cover.sum() == 9.0
    assert (colour[cover == 0] == 0).all()
