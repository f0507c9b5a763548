"""Draws one individual in a pose, view and light, as a cut-out."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.synthetic.build import GROUND, MIDDLE, Pose, strike
from recognition.synthetic.coat import Coat, Field, Pattern, smoothstep
from recognition.synthetic.species import Colour, Species
from recognition.synthetic.tube import Points, Skin, Tube, unroll

_WIDTH, _HEIGHT = 960.0, 750.0  # body units covered by one drawing
_SKY = 90.0  # of them, above the y origin of a build
_HALF_CHEST = 58.0
_LIGHT = np.array([-0.28, -0.74, 0.61], np.float32)
# Rows of the limb skin around which each part is taken, far enough apart to differ.
_HIND, _FORE, _HEAD, _TAIL = 120.0, 340.0, 540.0, 610.0


@dataclass(frozen=True)
class Aspect:
    """The camera's view of the animal.

    `scale`: pixels per body unit. `yaw` degrees: head turned to the camera (> 0) or away. `roll`
        degrees: the ground falls to the right. `mirrored`: walks to the left.
    """

    scale: float
    yaw: float
    roll: float
    mirrored: bool


@dataclass(frozen=True)
class Cutout:
    """An animal without its surroundings.

    `colour` [H, W, 3] 0..255, premultiplied by the cover; `cover` [H, W] 0..1; `eye` (x, y) in
    pixels; `ground`: the row of its feet.
    """

    colour: Field
    cover: Field
    eye: tuple[float, float]
    ground: float


def draw_animal(
    species: Species, coat: Coat, pose: Pose, aspect: Aspect, rng: np.random.Generator
) -> Cutout:
    """Return one animal; `rng` affects the fur's grain only."""
    body = strike(species.build, pose)
    canvas = _Canvas(species, aspect, rng)
    for leg, row in zip(body.far, (_FORE, _HIND), strict=True):
        tube = canvas.tube(leg, depth=-1.0)
        canvas.paint(tube, coat.limbs, row, tone=0.1, dim=0.6)
    canvas.paint(canvas.tube(body.tail), coat.limbs, _TAIL, tone=-0.3)
    if body.mane is not None:
        start = _length(body.spine)[-len(body.mane)]
        canvas.paint(canvas.tube(body.mane, start=start), coat.trunk, 60.0, tone=-0.6)
    canvas.paint(canvas.tube(body.ears, depth=-0.25), coat.limbs, _HEAD, tone=-0.6, dim=0.7)
    canvas.paint(canvas.tube(body.spine), coat.trunk, 192.0, offset=110.0)
    for leg, row in zip(body.near, (_HIND, _FORE), strict=True):
        canvas.paint(canvas.tube(leg, depth=0.8), coat.limbs, row, tone=0.2, fade=110.0)
    canvas.paint(canvas.tube(body.head), coat.limbs, _HEAD, fade=46.0)
    canvas.paint(canvas.tube(body.ears), coat.limbs, _HEAD, tone=-0.4)
    canvas.draw_face(body.face, body.head)
    return canvas.cutout(body.face)


def _length(points: Points) -> Field:
    steps = np.hypot(*np.diff(points[:, :2], axis=0).T)
    return np.concatenate([[0.0], np.cumsum(steps)]).astype(np.float32)


class _Canvas:
    """The picture on which parts are painted, from far to near."""

    def __init__(self, species: Species, aspect: Aspect, rng: np.random.Generator) -> None:
        self._species = species
        self._aspect = aspect
        self._yaw = np.radians(aspect.yaw)
        shape = 2 * round(_HEIGHT * aspect.scale / 2), 2 * round(_WIDTH * aspect.scale / 2)
        self._shape = shape
        self._colour = np.zeros((*shape, 3), np.float32)
        self._cover = np.zeros(shape, np.float32)
        grain = rng.standard_normal(shape).astype(np.float32)
        self._fur = cv2.GaussianBlur(grain, (0, 0), 2.2, sigmaY=0.6) * 0.11

    def tube(self, points: Points, *, depth: float = 0.0, start: float = 0.0) -> Tube:
        """Return a part as the camera sees it; `depth` -1..1 is its side of the chest."""
        projected = points.copy()
        projected[:, :2] = self._seen(points[:, :2], depth)
        projected[:, 2] *= self._aspect.scale * self._nearness(points[:, 0], depth)
        return Tube(projected, _length(points) + start, self._aspect.scale, float(self._yaw))

    def paint(
        self,
        tube: Tube,
        pattern: Pattern,
        row: float,
        *,
        offset: float = 20.0,
        tone: float | None = None,
        dim: float = 1.0,
        fade: float = 0.0,
    ) -> None:
        """Paint one part over the others.

        `row`, `offset`: where on the pattern the part's skin begins. `tone`: -1 back, 0 flank, 1
            belly; by default from the side of the skin. Over `fade` body units from its upper end
            the part blends into the body behind it.
        """
        skin = unroll(tube, self._shape)
        if skin is None:
            return
        colour = self._coloured(skin, pattern, row, offset, tone)
        light = 0.5 + 0.62 * np.clip(skin.normal @ _LIGHT, 0.0, 1.0)
        window = skin.rows, skin.columns
        light = light * (1.0 + self._fur[window]) * dim
        below = self._cover[window]
        weight = skin.cover
        if fade:
            weight = weight * (1.0 - (1.0 - smoothstep(fade * 0.55, fade, skin.along)) * below)
        self._colour[window] += (colour * light[..., None] - self._colour[window]) * weight[
            ..., None
        ]
        self._cover[window] = below + (1.0 - below) * skin.cover

    def draw_face(self, face: Points, head: Points) -> None:
        """Add muzzle, nose and eye, all of fixed place on the head."""
        eye, nose = self._seen(face[:, :2], 0.0)
        scale = self._aspect.scale
        tip = self._seen(head[-1:, :2], 0.0)[0]
        self._blot(tip, 25 * scale, self._species.muzzle, softness=0.8)
        self._blot(nose, 9 * scale, (42, 30, 30), softness=0.3)
        self._blot(eye, 9.5 * scale, (20, 15, 13), softness=0.25)
        self._blot(eye, 6.0 * scale, self._species.eye, softness=0.3)
        self._blot(eye, 2.8 * scale, (10, 8, 8), softness=0.4)
        self._blot(eye + np.array([1.5, -2.0]) * scale, 1.3 * scale, (255, 255, 250), softness=0.5)

    def cutout(self, face: Points) -> Cutout:
        """Return what was painted."""
        eye = self._seen(face[:1, :2], 0.0)[0]
        colour, cover, x = self._colour, self._cover, float(eye[0])
        if self._aspect.mirrored:
            colour, cover = colour[:, ::-1], cover[:, ::-1]
            x = self._shape[1] - 1 - x
        ground = (GROUND + _SKY) * self._aspect.scale
        return Cutout(np.clip(colour, 0, 255), np.clip(cover, 0, 1), (x, float(eye[1])), ground)

    def _seen(self, points: Points, depth: float) -> Points:
        """Return where points [N, 2] of the body lie in the picture, pixels [N, 2]."""
        size = self._nearness(points[:, 0], depth)
        x = (points[:, 0] - MIDDLE) * np.cos(self._yaw) - depth * _HALF_CHEST * np.sin(self._yaw)
        y = (points[:, 1] - GROUND * 0.55) * size + depth * 7.0
        roll = np.radians(self._aspect.roll)
        turned_x = x * size * np.cos(roll) - y * np.sin(roll)
        turned_y = x * size * np.sin(roll) + y * np.cos(roll)
        seen = np.stack([turned_x + MIDDLE, turned_y + GROUND * 0.55 + _SKY], axis=1)
        return np.asarray(seen * self._aspect.scale, np.float32)

    def _nearness(self, x: Field, depth: float) -> Field:
        """Return the magnification of near parts, at about four body lengths."""
        towards = (x - MIDDLE) * np.sin(self._yaw) + depth * _HALF_CHEST * np.cos(self._yaw)
        return np.asarray(2600.0 / (2600.0 - towards), np.float32)

    def _coloured(
        self, skin: Skin, pattern: Pattern, row: float, offset: float, tone: float | None
    ) -> Field:
        species = self._species
        x, y = skin.along + offset, skin.around + row
        marks, hearts = (
            cv2.remap(layer, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            for layer in (pattern.marks, pattern.hearts)
        )
        shade = skin.side if tone is None else np.full_like(skin.side, tone)
        up = np.clip(-shade, 0.0, 1.0)[..., None]
        down = smoothstep(0.35, 0.95, shade)[..., None]
        colour = np.asarray(species.flank, np.float32)
        colour = colour + up * (np.asarray(species.back, np.float32) - colour)
        colour = colour + down * (np.asarray(species.belly, np.float32) - colour)
        colour = colour + hearts[..., None] * (np.asarray(species.heart, np.float32) - colour)
        return np.asarray(
            colour + marks[..., None] * (np.asarray(species.mark, np.float32) - colour), np.float32
        )

    def _blot(
        self, centre: NDArray[np.floating], radius: float, colour: Colour, *, softness: float
    ) -> None:
        """Paint a soft round spot on the animal; the edge is that part of its radius."""
        left, top = (max(0, int(value - radius - 1)) for value in centre)
        right, bottom = (int(value + radius + 2) for value in centre)
        window = slice(top, bottom), slice(left, right)
        cover = self._cover[window]
        y, x = np.mgrid[top : top + cover.shape[0], left : left + cover.shape[1]].astype(np.float32)
        distance = np.hypot(x - centre[0], y - centre[1])
        weight = (1.0 - smoothstep(radius * (1.0 - softness), radius, distance)) * cover
        fill = np.asarray(colour, np.float32)
        self._colour[window] += (fill - self._colour[window]) * weight[..., None]
