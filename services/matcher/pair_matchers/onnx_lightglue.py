"""LightGlue by ONNX Runtime, pair by pair on a CPU; 8 bits take half of PyTorch's time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from services.matcher.pair_matchers.lightglue import Correspondences, Variant, load
from services.matcher.pair_matchers.onnx_export import INPUTS, Precision, exported
from shared.keypoints.keypoints import Keypoints
from shared.messages import ModelReference

PROVIDER = "CPUExecutionProvider"


class OnnxLightGlue:
    """The first `layers` layers of LightGlue for one extractor; see `lightglue.PairMatcher`.

    Full precision gives the matches of `LightGlueMatcher`; 8 bits differ slightly, so that is a
    model of its own. The file is in `folder`, exported if missing.

    Raises:
        SettingsError: the file cannot be exported.
        ValueError: more layers than were trained.
    """

    together = 1

    def __init__(
        self,
        variant: Variant,
        layers: int,
        threshold: float,
        *,
        precision: Precision,
        folder: Path,
        threads: int,
    ) -> None:
        path = exported(variant, layers, precision, folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(path, options, providers=[PROVIDER])
        self._threshold = threshold
        self.model = ModelReference()
        self.model.CopyFrom(load(variant, layers, threshold).model)
        if precision == "int8":
            self.model.preprocessing += "-int8"

    def match(self, query: Keypoints, candidates: Sequence[Keypoints]) -> list[Correspondences]:
        """Match a query with each candidate."""
        mine = _fed(query)
        return [self._pair(mine, _fed(candidate)) for candidate in candidates]

    def _pair(
        self, query: Sequence[NDArray[np.float32]], candidate: Sequence[NDArray[np.float32]]
    ) -> Correspondences:
        feed = dict(zip(INPUTS, (*query, *candidate), strict=True))
        scores = np.asarray(self._session.run(None, feed)[0])[0]
        partner = scores.argmax(1)
        own = np.arange(len(partner))
        confidence = np.exp(scores[own, partner])
        mutual = scores.argmax(0)[partner] == own
        matched = own[mutual & (confidence > self._threshold)]
        return Correspondences(
            np.stack([matched, partner[matched]], axis=1), confidence[matched].astype(np.float32)
        )


def _fed(keypoints: Keypoints) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return keypoints.centred()[None], keypoints.unit()[None]
