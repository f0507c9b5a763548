"""Draws the worst errors of an evaluation with their matches."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.evaluation.gallery_session import QueryResult
from recognition.evaluation.predictions import Prediction, worst
from recognition.evaluation.run import Evaluation
from recognition.figures.failure_sheet import FailureCase, sheet
from recognition.replay.in_process import Handlers
from services.matcher.networks import pair_matcher
from services.matcher.settings import MatcherSettings
from services.registry.features.evidence import features
from shared.errors import Poison
from shared.images import codec
from shared.images.rgb import Pixels
from shared.keypoints.keypoints import Keypoints
from shared.messages import BlobReference, Candidate, Evidence, Sighting

MOST = 8


def draw(
    evaluation: Evaluation,
    through: Handlers,
    matching: MatcherSettings,
    target: Path,
    subject: str,
) -> int:
    """Write the worst errors into one picture and return their number.

    The lines are the matches of the LightGlue that `matching` selects, if any. Without errors there
    is no file, and an earlier one is removed.
    """
    sketcher = _Sketcher(through, matching)
    answers = evaluation.report.answers
    cases = [
        sketcher.sketch(evaluation, evaluation.asked[index], answers[index], best)
        for index in worst(answers, MOST)
        if (best := answers[index].best) is not None
    ]
    target.unlink(missing_ok=True)
    if cases:
        sheet(cases, target, f"Worst errors · {subject}")
    return len(cases)


class _Sketcher:
    def __init__(self, through: Handlers, matching: MatcherSettings) -> None:
        self._through = through
        self._max_bytes = matching.max_crop_bytes
        self._matcher = pair_matcher(matching)

    def sketch(
        self, evaluation: Evaluation, asked: QueryResult, answer: Prediction, best: Evidence
    ) -> FailureCase:
        query = self._picture(asked.subject.sighting.crop)
        wrong = self._picture(best.candidate.crop)
        mine, theirs = self._keypoints(asked.subject.sighting, best.candidate)
        indices, scores = self._matches(mine, theirs)
        own = _own(evaluation, asked)
        return FailureCase(
            query=query,
            wrong=wrong,
            right=None if own is None else self._picture(own),
            query_positions=mine.in_crop()[indices[:, 0]],
            wrong_positions=theirs.in_crop()[indices[:, 1]],
            scores=scores,
            captions=(
                f"is {answer.identity}",
                f"taken for {answer.first}, {answer.probability:.2f}; {len(scores)} matches",
                "not in the gallery" if own is None else f"{answer.identity} in the gallery",
            ),
        )

    def _picture(self, crop: BlobReference) -> Pixels:
        return codec.decode(self._through.crops.get(crop, self._max_bytes))

    def _keypoints(self, *shown: Sighting | Candidate) -> list[Keypoints]:
        found = self._through.keypoints.find(shown)
        for each in found:
            if isinstance(each, Poison):
                raise each
        return [each for each in found if isinstance(each, Keypoints)]

    def _matches(
        self, mine: Keypoints, theirs: Keypoints
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return which keypoints match, int64 [M, 2], and their confidence, float32 [M]."""
        if self._matcher is None or not len(mine) or not len(theirs):
            return np.zeros((0, 2), np.int64), np.zeros(0, np.float32)
        (found,) = self._matcher.match(mine, [theirs])
        return found.indices, found.confidence


def _own(evaluation: Evaluation, asked: QueryResult) -> BlobReference | None:
    """Return the crop of the query's individual that ranked best, else any."""
    curve = evaluation.curve(asked)
    candidates = [
        item
        for item, same in zip(asked.labelled.evidence, asked.labelled.labels(), strict=True)
        if same
    ]
    if candidates:
        scores = curve.probabilities(features(candidates))
        return candidates[int(np.argmax(scores))].candidate.crop
    others = evaluation.gallery.of(asked.subject.identity)
    return others[0].sighting.crop if asked.labelled.known and others else None
