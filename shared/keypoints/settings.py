"""Settings of the keypoint extractor."""

from typing import Literal

from pydantic import field_validator

from shared.environment import constant, shared
from shared.foreground.settings import SegmenterSettings
from shared.keypoints.extractors import EXTRACTORS, SUPERPOINT


class ExtractorSettings(SegmenterSettings):
    """Mixed into the concerns of the services that find keypoints.

    Where they disagree nothing is mixed, but the matcher finds all keypoints once more.
    """

    extractor: str = shared(
        "RESIGHT_EXTRACTOR_KIND",
        "aliked-n16",
        "Keypoint extractor. LightGlue has weights for aliked-n16, disk (8 times the cost of "
        "aliked-n16) and xfeat (a fifth). sift needs no network. superpoint-noncommercial comes "
        "with SuperGlue; you bring the weights, and confirm non-commercial research, the only use "
        "that the licence of the published ones allows. Calibrate again after changing it.",
    )
    superglue: str = shared(
        "RESIGHT_EXTRACTOR_WEIGHTS",
        "",
        "Folder of a SuperGlue model as `transformers` saves it (superpoint-noncommercial).",
    )
    device: Literal["auto", "cpu", "cuda"] = shared(
        "RESIGHT_EXTRACTOR_DEVICE",
        "auto",
        "Device of the extractor, and of LightGlue. auto: a GPU if there is one.",
    )
    longest_side: int = constant(384, "Pixels; the calibration depends on it.", ge=64, le=2048)
    keypoints: int = constant(
        256, "Keypoints per crop; the calibration depends on it.", ge=4, le=4096
    )

    @field_validator("extractor")
    @classmethod
    def _is_an_extractor(cls, name: str) -> str:
        if name == "superpoint":
            raise ValueError(
                "the published weights of SuperPoint and SuperGlue are for non-commercial research "
                f"only; to confirm that use, or if you have other weights, set {SUPERPOINT}"
            )
        if name not in EXTRACTORS:
            raise ValueError(f"choose one of {', '.join(sorted(EXTRACTORS))}")
        return name
