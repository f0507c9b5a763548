"""Builds: how the bodies of cats and horses are proportioned, and how they pose.

All coordinates are body units: the animal walks to the right, y points down, feet stand at
`GROUND`, and a point is (x, y, radius).
"""

from dataclasses import dataclass

import numpy as np

from recognition.synthetic.tube import Points, smooth

GROUND = 600.0
MIDDLE = 480.0  # about what the body turns and shortens

Shape = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Build:
    """A body at rest. From point `neck` of the spine on, the neck moves with the head."""

    spine: Shape
    neck: int
    head: Shape
    ears: Shape
    hind: Shape
    fore: Shape
    tail: Shape
    eye: tuple[float, float]
    nose: tuple[float, float]
    mane: bool


@dataclass(frozen=True)
class Pose:
    """The animal's pose; angles in degrees.

    `stride` is the phase of the walk in turns, `reach` how far the legs swing, `lift` how far the
    neck is raised above rest, `nod` the head down against the neck, `arch` the body units by which
    the back is raised.
    """

    stride: float
    reach: float
    lift: float
    nod: float
    tail: float
    arch: float


@dataclass(frozen=True)
class Posed:
    """Smooth tubes of one posed body, each [N, 3], and points of the face [2, 3]."""

    spine: Points
    head: Points
    ears: Points
    tail: Points
    near: tuple[Points, Points]
    far: tuple[Points, Points]
    face: Points
    mane: Points | None


CAT = Build(
    spine=(
        (258, 336, 60),
        (314, 322, 76),
        (430, 322, 70),
        (540, 330, 82),
        (632, 326, 88),
        (702, 296, 70),
        (756, 260, 58),
        (796, 234, 52),
    ),
    neck=5,
    head=((790, 232, 54), (820, 230, 57), (852, 242, 45), (880, 256, 33), (894, 261, 28)),
    ears=((784, 196, 20), (774, 174, 15)),
    hind=(
        (316, 356, 74),
        (342, 430, 52),
        (312, 494, 29),
        (288, 528, 22),
        (308, 572, 18),
        (322, 588, 20),
        (340, 592, 17),
    ),
    fore=(
        (640, 356, 66),
        (630, 434, 40),
        (640, 500, 26),
        (638, 550, 21),
        (644, 586, 20),
        (662, 592, 17),
    ),
    tail=(
        (244, 316, 22),
        (200, 366, 18),
        (174, 440, 16),
        (148, 502, 15),
        (108, 520, 15),
        (72, 496, 14),
    ),
    eye=(838, 220),
    nose=(910, 250),
    mane=False,
)

HORSE = Build(
    spine=(
        (258, 296, 70),
        (318, 284, 88),
        (430, 294, 84),
        (545, 296, 92),
        (632, 284, 84),
        (696, 236, 68),
        (744, 182, 54),
        (780, 130, 43),
    ),
    neck=5,
    head=((778, 122, 40), (808, 138, 43), (842, 174, 33), (870, 210, 26), (886, 230, 25)),
    ears=((772, 82, 13), (770, 60, 11), (772, 44, 6)),
    hind=(
        (306, 328, 78),
        (322, 410, 48),
        (292, 470, 27),
        (290, 528, 18),
        (298, 566, 17),
        (312, 588, 18),
        (316, 594, 19),
    ),
    fore=(
        (638, 328, 62),
        (640, 414, 36),
        (642, 482, 23),
        (640, 538, 17),
        (644, 570, 17),
        (652, 588, 18),
        (656, 594, 18),
    ),
    tail=(
        (242, 268, 16),
        (210, 306, 13),
        (198, 366, 12),
        (194, 426, 20),
        (192, 480, 16),
        (190, 514, 6),
    ),
    eye=(822, 132),
    nose=(897, 230),
    mane=True,
)


def strike(build: Build, pose: Pose) -> Posed:
    """Return the body in a pose, its lowest foot on the ground."""
    spine = np.array(build.spine, np.float32)
    back = spine[: build.neck]
    back[:, 1] -= pose.arch * np.sin(np.linspace(0.0, np.pi, len(back), dtype=np.float32))
    shoulder, poll = spine[build.neck - 1, :2].copy(), spine[-1, :2].copy()
    spine[build.neck :] = _turned(spine[build.neck :], shoulder, -pose.lift)
    front = (np.array(part, np.float32) for part in (build.head, build.ears, _face(build)))
    head, ears, face = (
        _turned(_turned(part, poll, pose.nod), shoulder, -pose.lift) for part in front
    )
    swings = [pose.stride + shift for shift in (0.0, 0.28, 0.5, 0.78)]
    legs = [
        _step(np.array(leg, np.float32), swing, pose.reach, folds)
        for swing, (leg, folds) in zip(
            swings, ((build.hind, -1.0), (build.fore, 1.0)) * 2, strict=True
        )
    ]
    drop = GROUND - max(float((leg[:, 1] + leg[:, 2]).max()) for leg in legs)
    tail = _turned(np.array(build.tail, np.float32), np.array(build.tail[0][:2]), pose.tail)
    smoothed = [smooth(part) for part in (spine, head, ears, tail, *legs)]
    for part in (*smoothed, face):
        part[:, 1] += drop
    crest = _crest(smoothed[0]) if build.mane else None
    spine, head, ears, tail, *walking = smoothed
    return Posed(
        spine=spine,
        head=head,
        ears=ears,
        tail=tail,
        near=(walking[0], walking[1]),
        far=(walking[2], walking[3]),
        face=face,
        mane=crest,
    )


def _face(build: Build) -> Shape:
    return ((*build.eye, 0.0), (*build.nose, 0.0))


def _turned(points: Points, pivot: Points, degrees: float) -> Points:
    """Return points turned about a pivot; positive goes clockwise as seen, head down."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    moved = points.copy()
    moved[:, :2] = (points[:, :2] - pivot) @ turn + pivot
    return moved


def _step(leg: Points, phase: float, reach: float, folds: float) -> Points:
    """Return a leg swung about its upper end; while it comes forward it is folded."""
    swing = np.sin(2 * np.pi * phase)
    fold = max(0.0, np.cos(2 * np.pi * phase)) * reach
    turned = _turned(leg, leg[0, :2], -reach * swing)
    lower = turned[2:]
    turned[2:] = _turned(lower, turned[2, :2].copy(), folds * fold * 1.2)
    return turned


def _crest(spine: Points) -> Points:
    """Return the mane: a thinner tube along the upper edge of the neck."""
    neck = spine[-14:]
    ahead = np.gradient(neck[:, :2], axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    upper = neck.copy()
    upper[:, 0] += ahead[:, 1] * neck[:, 2] * 0.98
    upper[:, 1] -= ahead[:, 0] * neck[:, 2] * 0.98
    upper[:, 2] = neck[:, 2] * 0.15 + 13.0
    upper[:4, 2] *= np.linspace(0.2, 1.0, 4)
    return upper
