"""Why two pictures are taken for one animal, or are not: their matches, drawn."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recognition.match_lines import (
    FAINT,
    INK,
    PALE,
    PAPER,
    Cell,
    Colour,
    Picture,
    Points,
    by_confidence,
    font,
    join,
    legend,
    paste,
)
from services.matcher.cascade import PairEvidence
from services.matcher.engine import Engine
from services.matcher.homography import agreeing
from services.matcher.keypoints import Keypoints
from services.matcher.lightglue import PairMatcher

_WIDTH, _HEIGHT, _MARGIN, _GAP, _FOOT = 640, 480, 28, 8, 84


@dataclass(frozen=True, eq=False)
class Explanation:
    """What the matcher sees in a pair.

    evidence: as the service would attach it
    ends: where the M matched keypoints are, as fractions of the two crops, float64 [M, 2] each
    confidence: float32 [M], 0..1
    inlier: bool [M], which of them one flat surface explains
    counts: bool [M], which lie on the animals; the others are no evidence, and only drawn
    """

    evidence: PairEvidence
    ends: tuple[Points, Points]
    confidence: NDArray[np.float32]
    inlier: NDArray[np.bool_]
    counts: NDArray[np.bool_]


def explain(
    networks: Engine, matcher: PairMatcher | None, query: Keypoints, candidate: Keypoints
) -> Explanation:
    """Match two crops' keypoints, and those beside the animals too, as far as they are known.

    Without a `matcher` there is the evidence of neighbours alone, and nothing to draw.
    """
    (evidence,) = networks.cascade().gather(query, [candidate])
    if matcher is None or not len(query) or not len(candidate):
        nothing = np.zeros(0, np.bool_)
        nowhere = np.zeros((0, 2))
        return Explanation(evidence, (nowhere, nowhere), np.zeros(0, np.float32), nothing, nothing)
    (found,) = matcher.match(query, [candidate])
    mine, theirs = found.indices.T
    counts = _counts(query)[mine] & _counts(candidate)[theirs]
    inlier = np.zeros(len(mine), np.bool_)
    inlier[counts] = agreeing(query.positions[mine[counts]], candidate.positions[theirs[counts]])
    return Explanation(
        evidence,
        (query.in_crop()[mine], candidate.in_crop()[theirs]),
        found.confidence,
        inlier,
        counts,
    )


def _counts(keypoints: Keypoints) -> NDArray[np.bool_]:
    return np.ones(len(keypoints), np.bool_) if keypoints.animal is None else keypoints.animal


def draw(
    explanation: Explanation,
    pictures: tuple[Picture, Picture],
    captions: tuple[str, str],
    target: Path,
) -> None:
    """Write the two pictures with their matches as a PNG.

    Matches that one surface explains are coloured by confidence, the others are thin; grey ones
    lie beside the animals and do not count.

    Raises:
        OSError: `target` can't be written.
    """
    width = 2 * (_MARGIN + _WIDTH) + _GAP
    sheet = Image.new("RGB", (width, _HEIGHT + _MARGIN + _FOOT), PAPER)
    seats = [
        paste(sheet, picture, Cell(_MARGIN + side * (_WIDTH + _GAP), _MARGIN, _WIDTH, _HEIGHT))
        for side, picture in enumerate(pictures)
    ]
    ends = seats[0].at(explanation.ends[0]), seats[1].at(explanation.ends[1])
    over = Cell(_MARGIN, _MARGIN, 2 * _WIDTH + _GAP, _HEIGHT)
    colours = [
        by_confidence(float(score)) if counts else PALE
        for score, counts in zip(explanation.confidence, explanation.counts, strict=True)
    ]
    surest_last = np.argsort(explanation.confidence, kind="stable")
    for kept, line, spot in (
        (~explanation.counts, 1, 0),
        (explanation.counts & ~explanation.inlier, 1, 2),
        (explanation.inlier, 2, 4),
    ):
        order = surest_last[kept[surest_last]]
        chosen: list[Colour] = [colours[index] for index in order]
        join(sheet, over, (ends[0][order], ends[1][order]), chosen, line=line, spot=spot)
    _write(sheet, explanation, captions)
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(target, format="PNG", optimize=True)


def _write(sheet: Image.Image, explanation: Explanation, captions: tuple[str, str]) -> None:
    pen = ImageDraw.Draw(sheet)
    top = _MARGIN + _HEIGHT + 24
    for side, caption in enumerate(captions):
        where = (_MARGIN + side * (_WIDTH + _GAP), top)
        pen.text(where, caption, INK, font(17), anchor="ls")
    pen.text((_MARGIN, top + 32), summary(explanation), FAINT, font(15), anchor="ls")
    legend(sheet, _MARGIN + 2 * _WIDTH + _GAP, top + 32)


def summary(explanation: Explanation) -> str:
    """Return the evidence in a sentence."""
    evidence = explanation.evidence
    if evidence.reason:
        return evidence.reason
    beside = int((~explanation.counts).sum())
    told = (
        f"{evidence.neighbours} mutual neighbours (score {evidence.neighbour_score:.1f}), "
        f"{evidence.matches} matches (confidence {evidence.confidence:.1f}), "
        f"{evidence.inliers} of them on one surface"
    )
    return told + (f"; {beside} more beside the animals, in grey" if beside else "")
