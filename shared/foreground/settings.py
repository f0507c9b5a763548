"""The settings of what finds the animal."""

from typing import Literal

from pydantic import Field

from shared.settings import Settings

SegmenterName = Literal["u2netp", "grabcut", "onnx", "none"]


class SegmenterSettings(Settings):
    """What finds the animal; a service's own settings say under which prefix."""

    segmenter: SegmenterName = Field(
        default="u2netp",
        description="What finds the animal, so that what is beside it doesn't count: u2netp is a "
        "small network, grabcut goes by colours, onnx runs a network of yours. The embedder "
        "stores its masks, and a matcher with the same segmenter takes them.",
    )
    segmenter_path: str = Field(
        default="", description="The segmentation network's ONNX file, for onnx."
    )
    segmenter_threshold: float = Field(
        default=0.5,
        description="Value of that network above which a pixel is animal; 0 suits logits.",
    )
