"""Draws the effect of masks on matches: `python -m bench.masks docs/masks.png`.

Synthetic animals, so it is known which matches are on them: two animals at one place, and one
animal at two places, each with the matcher's keypoints of the whole crop and of the animal alone.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recognition.figures.match_lines import INK, PAPER, Cell, Picture, Points, font, join, paste
from recognition.synthetic.animal import Aspect, draw_animal
from recognition.synthetic.build import Pose
from recognition.synthetic.coat import grow
from recognition.synthetic.light import Light
from recognition.synthetic.place import draw_place
from recognition.synthetic.scene import Placed, photograph
from recognition.synthetic.species import SPECIES
from services.embedder.encoders.preparation import Preparation
from services.matcher.engine import build_engine
from services.matcher.networks import pair_matcher
from services.matcher.settings import MatcherSettings
from shared.foreground.animal import Animal
from shared.foreground.choice import build_segmenter
from shared.foreground.segmenter import Segmenter
from shared.foreground.view import View
from shared.images import codec
from shared.messages import Box

_ON, _BESIDE, _OUTLINE = (46, 160, 90), (214, 60, 48), (255, 221, 51)
_WIDTH, _HEIGHT, _GAP, _APART, _MARGIN, _CAPTION = 310, 250, 6, 40, 28, 56
_SPECIES = "drawn zebra"
# Margin around the true box, as detectors leave it.
_LOOSE = 0.12


@dataclass(frozen=True, eq=False)
class Seen:
    """One animal's crop [H, W, 3], its true silhouette, bool [H, W], and its mask."""

    crop: Picture
    silhouette: NDArray[np.bool_]
    animal: Animal

    def mask(self) -> NDArray[np.bool_]:
        """Return the mask at the crop's size."""
        return _resized(self.animal.mask, self.crop.shape)


def main(target: Path) -> dict[tuple[str, str], tuple[int, int]]:
    """Draw the picture, and return the matches of each pair on the animals, and outside."""
    settings = MatcherSettings()
    whole = build_engine(settings.model_copy(update={"segmenter": "none"})).extractor
    alone = build_engine(settings).extractor
    matcher, found_by = pair_matcher(settings), build_segmenter(settings)
    if matcher is None or found_by is None:
        raise SystemExit("there are no matches, or no masks, to draw; take the default settings")
    counts = {}
    pairs = {
        "Two animals at one place": (_seen(found_by, 1, 5, 0.0), _seen(found_by, 2, 5, 0.35)),
        "One animal at two places": (_seen(found_by, 3, 8, 0.0), _seen(found_by, 3, 9, 0.3)),
    }
    width = 2 * _MARGIN + 2 * (2 * _WIDTH + _GAP) + _APART
    sheet = Image.new("RGB", (width, 2 * (_HEIGHT + _CAPTION) + _MARGIN), PAPER)
    for column, (what, pair) in enumerate(pairs.items()):
        for row, (how, extractor) in enumerate((("whole crops", whole), ("animal alone", alone))):
            told = [None, None] if row == 0 else [each.animal for each in pair]
            one, other = (
                extractor.extract(each.crop, animal)
                for each, animal in zip(pair, told, strict=True)
            )
            found = matcher.match(one, [other])[0].indices
            ends = [
                keypoints.in_crop()[found[:, side]] for side, keypoints in enumerate((one, other))
            ]
            corner = (
                _MARGIN + column * (2 * _WIDTH + _GAP + _APART),
                _MARGIN + row * (_HEIGHT + _CAPTION),
            )
            beside = _draw(sheet, corner, pair, ends, outlined=row == 1)
            on = len(found) - beside
            counts[what, how] = on, beside
            text = f"{what}, {how}: {on} matches on them, {beside} outside"
            ImageDraw.Draw(sheet).text(
                (corner[0], corner[1] + _HEIGHT + 26), text, INK, font(18), anchor="ls"
            )
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(255).save(target, optimize=True)
    return counts


def _seen(segmenter: Segmenter, individual: int, place: int, stride: float) -> Seen:
    """Return an animal at a place, cropped as the embedder does."""
    rng = np.random.default_rng((7, individual, place))
    species = SPECIES[_SPECIES]
    pose = Pose(stride, 9.0 + 10 * stride, 2.0, 4.0, 0, 0)
    aspect = Aspect(scale=0.5, yaw=8.0, roll=0.0, mirrored=False)
    cutout = draw_animal(species, grow(species.style, (individual,)), pose, aspect, rng)
    ground = draw_place((place,), (640, 480))
    taken = photograph(ground, [Placed(cutout, 320.0, 420.0)], Light.DAY, rng)
    [silhouette] = taken.silhouettes
    rows, columns = (np.flatnonzero(silhouette.any(axis=axis)) for axis in (1, 0))
    (top, bottom), (left, right) = (_loose(at, side) for at, side in ((rows, 480), (columns, 640)))
    box = Box(x=left / 640, y=top / 480, width=(right - left) / 640, height=(bottom - top) / 480)
    crop = codec.decode(Preparation(224).crop(taken.image, box))
    animal = Animal.find(segmenter, View.around(taken.image, box))
    return Seen(crop, _resized(silhouette[top:bottom, left:right], crop.shape), animal)


def _loose(at: NDArray[np.intp], side: int) -> tuple[int, int]:
    first, end = int(at[0]), int(at[-1]) + 1
    more = round(_LOOSE * (end - first))
    return max(0, first - more), min(side, end + more)


def _resized(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    size = shape[1], shape[0]
    return np.asarray(cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)


def _draw(
    sheet: Image.Image,
    corner: tuple[int, int],
    pair: tuple[Seen, Seen],
    ends: list[Points],
    *,
    outlined: bool,
) -> int:
    """Draw a pair and its matches, and return how many are not on both animals."""
    placed, on = [], np.ones(len(ends[0]), np.bool_)
    for side, (seen, points) in enumerate(zip(pair, ends, strict=True)):
        cell = Cell(corner[0] + side * (_WIDTH + _GAP), corner[1], _WIDTH, _HEIGHT)
        seat = paste(sheet, _outlined(seen) if outlined else seen.crop, cell)
        height, width = seen.crop.shape[:2]
        columns, rows = (points * [width, height]).astype(int).T
        # Outlines need both sides of them.
        near = cv2.dilate(seen.silhouette.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        on &= near[rows.clip(0, height - 1), columns.clip(0, width - 1)]
        placed.append(seat.at(points))
    order = np.argsort(on, kind="stable")  # draw those outside the animals first
    join(
        sheet,
        Cell(*corner, 2 * _WIDTH + _GAP, _HEIGHT),
        (placed[0][order], placed[1][order]),
        [_ON if good else _BESIDE for good in on[order]],
    )
    return int((~on).sum())


def _outlined(seen: Seen) -> Picture:
    """Return the crop, pale outside the animal, with the mask's outline."""
    mask = seen.mask()
    pale = (seen.crop * 0.35 + np.array(PAPER) * 0.65).astype(np.uint8)
    picture = np.where(mask[..., None], seen.crop, pale)
    lines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(np.ascontiguousarray(picture), lines, -1, _OUTLINE, 2))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/masks.png"))
