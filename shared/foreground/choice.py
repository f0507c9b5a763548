"""Builds the segmenter that the settings choose."""

from pathlib import Path

from shared.errors import SettingsError
from shared.foreground.grabcut import GrabCutSegmenter
from shared.foreground.onnx_segmenter import OnnxSegmenter
from shared.foreground.segmenter import Segmenter
from shared.foreground.settings import SegmenterSettings
from shared.foreground.u2netp import u2netp


def build_segmenter(settings: SegmenterSettings, threads: int = 1) -> Segmenter | None:
    """Return the segmenter, or None.

    Raises:
        SettingsError: its file is missing or unusable.
    """
    if settings.segmenter == "onnx":
        path = Path(settings.segmenter_path)
        if not path.is_file():
            raise SettingsError(
                f"RESIGHT_SEGMENTER_PATH={str(path)!r}: file not found; name a segmentation "
                "network (ONNX), or set RESIGHT_SEGMENTER_KIND=u2netp"
            )
        return OnnxSegmenter(path.read_bytes(), str(path), settings.segmenter_threshold, threads)
    if settings.segmenter == "u2netp":
        return u2netp(threads)
    return GrabCutSegmenter() if settings.segmenter == "grabcut" else None
