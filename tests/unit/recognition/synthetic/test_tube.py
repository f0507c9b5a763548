"""Skin coordinates of tubes, against a straight cylinder worked out by hand."""

import numpy as np
import pytest

from recognition.synthetic.build import HORSE, Pose, strike
from recognition.synthetic.tube import Skin, Tube, smooth, unroll

SHAPE = (120, 240)


def _skin(tube: Tube, shape: tuple[int, int] = SHAPE) -> Skin:
    skin = unroll(tube, shape)
    assert skin is not None
    return skin


def _cylinder(*, yaw: float = 0.0, scale: float = 1.0) -> Tube:
    x = np.linspace(40.0, 200.0, 9, dtype=np.float32)
    points = np.stack([x, np.full_like(x, 60.0), np.full_like(x, 30.0)], axis=1)
    return Tube(points, (x - 40.0) / scale, scale, yaw)


def test_a_straight_tube_covers_its_width_and_no_more() -> None:
    skin = _skin(_cylinder())
    cover = np.zeros(SHAPE, np.float32)
    cover[skin.rows, skin.columns] = skin.cover
    assert cover[60, 120] == 1.0
    assert cover[32, 120] == 1.0
    assert cover[28, 120] == 0.0
    assert cover[:, 120].sum() == pytest.approx(60.0, abs=1.0)


def test_length_is_counted_along_the_spine_and_round_the_belly() -> None:
    skin = _skin(_cylinder())
    middle, column = 60 - skin.rows.start, 120 - skin.columns.start
    assert skin.along[middle, column] == pytest.approx(80.0, abs=0.5)
    assert skin.around[middle, column] == pytest.approx(0.0, abs=0.5)
    # Half the radius below the spine the skin has gone 30 degrees round.
    assert skin.around[middle + 15, column] == pytest.approx(30 * np.pi / 6, abs=0.5)


def test_skin_is_measured_in_body_units_whatever_the_scale() -> None:
    skin = _skin(_cylinder(scale=0.5))
    middle, column = 60 - skin.rows.start, 120 - skin.columns.start
    assert skin.along[middle, column] == pytest.approx(160.0, abs=0.5)
    assert skin.around[middle + 15, column] == pytest.approx(2 * 30 * np.pi / 6, abs=0.5)


def test_turning_slides_the_skin_most_where_it_faces_the_camera() -> None:
    straight, turned = _skin(_cylinder()), _skin(_cylinder(yaw=0.5))
    middle, column = 60 - straight.rows.start, 120 - straight.columns.start
    slide = turned.along[:, column] - straight.along[:, column]
    assert slide[middle] == pytest.approx(30 * np.tan(0.5), abs=0.5)
    assert slide[middle + 28] < slide[middle] / 2


def test_skin_is_continuous_round_the_bend_of_a_turned_neck() -> None:
    scale, yaw = 0.3, 0.5
    spine = strike(HORSE, Pose(0.1, 18.0, 12.0, 0.0, 15.0, 6.0)).spine
    steps = np.hypot(*np.diff(spine[:, :2], axis=0).T)
    length = np.concatenate([[0.0], np.cumsum(steps)]).astype(np.float32)
    seen = spine * np.array([np.cos(yaw), 1.0, 1.0], np.float32) * np.float32(scale)
    skin = _skin(Tube(seen, length, scale, yaw), (200, 300))
    inside = skin.cover > 0.99
    both = inside[:, 1:] & inside[:, :-1] & (np.abs(skin.side[:, 1:]) < 0.8)
    jumps = np.abs(np.diff(skin.along, axis=1))[both]
    # A pixel is four body units wide here; a tear would be several times that.
    assert jumps.max() < 25.0
    assert np.median(jumps) < 5.0


def test_a_tube_outside_of_the_picture_shows_nothing() -> None:
    tube = _cylinder()
    away = Tube(tube.points + np.array([500, 0, 0], np.float32), tube.length, 1.0, 0.0)
    assert unroll(away, SHAPE) is None


def test_a_smooth_curve_goes_through_its_points() -> None:
    points = np.array([(0, 0, 1), (10, 5, 2), (20, 0, 3)], np.float32)
    curve = smooth(points, pieces=4)
    assert curve.shape == (9, 3)
    assert np.allclose(curve[::4], points, atol=1e-5)
