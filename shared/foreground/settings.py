"""Settings of the segmenter, which finds the animal in a picture."""

from typing import Literal

from shared.environment import Settings, shared

SegmenterName = Literal["u2netp", "grabcut", "onnx", "none"]


class SegmenterSettings(Settings):
    """Mixed into the concerns of the services that segment: they must agree."""

    segmenter: SegmenterName = shared(
        "RESIGHT_SEGMENTER_KIND",
        "u2netp",
        "Finds the animal so that its surroundings are ignored. u2netp: a small network; grabcut: "
        "by colour, no network; onnx: your own network; none: the whole crop is used.",
    )
    segmenter_path: str = shared(
        "RESIGHT_SEGMENTER_PATH", "", "ONNX file of your own segmentation network (onnx)."
    )
    segmenter_threshold: float = shared(
        "RESIGHT_SEGMENTER_THRESHOLD",
        0.5,
        "Output of that network above which a pixel is animal; 0 for logits.",
    )
