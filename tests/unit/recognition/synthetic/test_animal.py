"""Animals: cut-outs that look as posed, turned and mirrored."""

import numpy as np
import pytest

from recognition.synthetic.animal import Aspect, Cutout, draw_animal
from recognition.synthetic.build import GROUND, Pose, strike
from recognition.synthetic.coat import grow
from recognition.synthetic.species import SPECIES

STANDING = Pose(stride=0.0, reach=0.0, lift=0.0, nod=0.0, tail=0.0, arch=0.0)
WALKING = Pose(stride=0.1, reach=18.0, lift=12.0, nod=4.0, tail=9.0, arch=5.0)


def _drawn(name: str, *, pose: Pose = STANDING, yaw: float = 0.0, mirrored: bool = False) -> Cutout:
    species = SPECIES[name]
    aspect = Aspect(scale=0.3, yaw=yaw, roll=0.0, mirrored=mirrored)
    return draw_animal(species, grow(species.style, (1,)), pose, aspect, np.random.default_rng(0))


def _columns(cutout: Cutout) -> int:
    return int((cutout.cover > 0.5).any(axis=0).sum())


@pytest.mark.parametrize("name", SPECIES)
@pytest.mark.parametrize("pose", [STANDING, WALKING])
def test_every_species_is_one_body_inside_of_its_drawing(name: str, pose: Pose) -> None:
    cutout = _drawn(name, pose=pose)
    assert 0.15 < float(cutout.cover.mean()) < 0.45
    edges = (cutout.cover[0], cutout.cover[-1], cutout.cover[:, 0], cutout.cover[:, -1])
    assert max(float(edge.max()) for edge in edges) == 0.0
    assert (cutout.colour.max(axis=2) <= 255.0 * np.ceil(cutout.cover)).all()


@pytest.mark.parametrize("name", SPECIES)
def test_feet_stand_on_the_ground(name: str) -> None:
    cutout = _drawn(name, pose=WALKING)
    lowest = np.flatnonzero((cutout.cover > 0.5).any(axis=1))[-1]
    assert lowest == pytest.approx(cutout.ground, abs=5)


def test_a_mirrored_animal_is_the_mirror_image() -> None:
    right, left = _drawn("drawn zebra"), _drawn("drawn zebra", mirrored=True)
    assert np.array_equal(left.colour, right.colour[:, ::-1])
    assert left.eye[0] == pytest.approx(right.cover.shape[1] - 1 - right.eye[0])
    assert left.eye[0] < left.cover.shape[1] / 2 < right.eye[0]


@pytest.mark.parametrize("yaw", [-35.0, 35.0])
def test_an_animal_that_turns_gets_shorter(yaw: float) -> None:
    assert _columns(_drawn("drawn leopard", yaw=yaw)) < 0.92 * _columns(_drawn("drawn leopard"))


@pytest.mark.parametrize("stride", [0.0, 0.2, 0.45, 0.7, 0.9])
def test_a_walking_body_has_a_foot_on_the_ground_and_none_below(stride: float) -> None:
    body = strike(SPECIES["drawn cheetah"].build, Pose(stride, 16.0, 0.0, 0.0, 0.0, 0.0))
    lowest = max(float((leg[:, 1] + leg[:, 2]).max()) for leg in (*body.near, *body.far))
    assert lowest == pytest.approx(GROUND, abs=3)


def test_lifting_the_neck_raises_the_face_and_nodding_lowers_it() -> None:
    build = SPECIES["drawn leopard"].build
    rest = strike(build, STANDING).face[1, 1]
    assert strike(build, Pose(0, 0, 20, 0, 0, 0)).face[1, 1] < rest - 20
    assert strike(build, Pose(0, 0, 0, 20, 0, 0)).face[1, 1] > rest + 10
