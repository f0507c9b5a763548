"""Tubes: rounded limbs of varying thickness, and where their skin is visible.

A body part is a spine with a radius at each point. Every pixel that the part covers gets its
position on the unrolled skin, so that a coat bends, shortens and vanishes at the edge as on a real
body.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.synthetic.coat import Field

Points = NDArray[np.float32]

# Skin coordinates are smooth: solved on every second pixel and interpolated.
_STEP = 2


@dataclass(frozen=True)
class Tube:
    """A spine in the picture and on the body.

    `points` [N, 3]: x, y, radius in pixels. `length` [N]: the distance along
    the unforeshortened spine in body units. `scale`: pixels in one body unit.
    `yaw`: by how much the part's head end is turned to the camera, radians.
    """

    points: Points
    length: Field
    scale: float
    yaw: float


@dataclass(frozen=True)
class Skin:
    """What a tube shows in one window of the picture; every field is [h, w].

    `cover` 0..1; `along` and `around` are body units on the unrolled skin;
    `side` -1..1 goes from edge to edge; `normal` [h, w, 3] points outwards (x right,
    y down, z to the camera).
    """

    rows: slice
    columns: slice
    cover: Field
    along: Field
    around: Field
    side: Field
    normal: Field


def smooth(points: Points, pieces: int = 4) -> Points:
    """Return a Catmull-Rom curve through `points` [N, D], with `pieces` steps between two."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0.0, 1.0, pieces, endpoint=False, dtype=np.float32)[:, None]
    p0, p1, p2, p3 = (padded[i : len(padded) - 3 + i, None] for i in range(4))
    curve = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return np.vstack([curve.reshape(-1, points.shape[1]), points[-1]]).astype(np.float32)


def unroll(tube: Tube, shape: tuple[int, int]) -> Skin | None:
    """Return the visible skin of a tube in a picture of `shape` (rows, columns; even).

    None when the tube is outside of the picture.
    """
    window = _window(tube.points, shape)
    if window is None:
        return None
    rows, columns = window
    height, width = rows.stop - rows.start, columns.stop - columns.start
    solved = _solve(tube, _centres(columns)[None, :, None], _centres(rows)[:, None, None])
    outside, along, side, radius, dx, dy = (
        np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        for field in solved
    )
    side = np.clip(side, -1.0, 1.0)
    depth = np.sqrt(1.0 - side * side)
    # Turning the body about the vertical axis slides the skin of a horizontal tube along it, and
    # rotates a vertical one.
    units = radius / tube.scale
    along = along + units * depth * float(np.tan(tube.yaw)) * np.abs(dx)
    around = units * (np.arcsin(side) - tube.yaw * dy)
    normal = np.asarray(np.stack([-dy * side, dx * side, depth], axis=-1), np.float32)
    cover = np.clip(0.5 - outside, 0.0, 1.0)
    return Skin(rows, columns, cover, along, around, side, normal)


def _window(points: Points, shape: tuple[int, int]) -> tuple[slice, slice] | None:
    reach = points[:, 2] + 2
    left, top = (points[:, 0] - reach).min(), (points[:, 1] - reach).min()
    right, bottom = (points[:, 0] + reach).max(), (points[:, 1] + reach).max()
    columns = _span(left, right, shape[1])
    rows = _span(top, bottom, shape[0])
    if columns.start >= columns.stop or rows.start >= rows.stop:
        return None
    return rows, columns


def _span(low: float, high: float, limit: int) -> slice:
    """Return whole steps between two places, so that the coarse grid covers them evenly."""
    start = max(0, int(low) // _STEP * _STEP)
    return slice(start, min(limit, (int(high) // _STEP + 1) * _STEP))


def _centres(span: slice) -> Field:
    """Return the middle of each step, in pixels."""
    starts = np.arange(span.start, span.stop, _STEP)
    return np.asarray(starts + (_STEP - 1) / 2, np.float32)


def _solve(tube: Tube, x: Points, y: Points) -> tuple[Field, ...]:
    """Return per pixel of the nearest piece: distance outside (pixels, < 0 inside), length,
    side, radius (pixels) and the direction of the spine (dx, dy).

    Each piece lies between the planes across its two ends, which neighbours share, so skin
    coordinates are continuous round a bend. `x` is [1, w, 1], `y` [h, 1, 1].
    """
    points, length = tube.points, tube.length
    tangents = np.gradient(points[:, :2], axis=0)
    tangents /= np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-6)
    ahead = (x - points[:, 0]) * tangents[:, 0] + (y - points[:, 1]) * tangents[:, 1]
    past, left = ahead[..., :-1], -ahead[..., 1:]
    total = past + left
    t = np.clip(past / np.where(np.abs(total) < 1e-3, 1e-3, total), 0.0, 1.0)
    step = np.diff(points, axis=0)
    dx = x - points[:-1, 0] - t * step[:, 0]
    dy = y - points[:-1, 1] - t * step[:, 1]
    radii = points[:-1, 2] + t * step[:, 2]
    outside = np.sqrt(dx * dx + dy * dy) - radii
    elsewhere = (past < 0.0) | (left < 0.0)
    nearest = (outside + radii * elsewhere).argmin(axis=2)[..., None]

    def pick(values: Field) -> Field:
        return np.take_along_axis(values, nearest, axis=2)[..., 0]

    which, share = nearest[..., 0], pick(t)[..., None]
    direction = tangents[which] * (1.0 - share) + tangents[which + 1] * share
    direction /= np.maximum(np.linalg.norm(direction, axis=2, keepdims=True), 1e-6)
    across = pick(dy) * direction[..., 0] - pick(dx) * direction[..., 1]
    radius = np.maximum(pick(radii), 0.5)
    # Beyond its ends the skin continues round the cap.
    beyond = np.maximum(ahead[..., -1], 0.0) + np.minimum(ahead[..., 0], 0.0)
    ends = (which == 0) | (which == len(points) - 2)
    reach = np.clip(beyond / radius, -1.0, 1.0)
    along = pick(length[:-1] + t * np.diff(length)) + ends * np.arcsin(reach) * radius / tube.scale
    fields = (pick(outside), along, across / radius, radius, direction[..., 0], direction[..., 1])
    return tuple(np.ascontiguousarray(field, np.float32) for field in fields)
