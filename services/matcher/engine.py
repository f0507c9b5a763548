"""The networks that the settings name, for the service and for offline evaluation alike."""

from dataclasses import dataclass

import numpy as np
import torch

from services.matcher.aliked import AlikedDetector
from services.matcher.cascade import Cascade
from services.matcher.detector import Detector
from services.matcher.extractor import KeypointExtractor
from services.matcher.lightglue import VARIANTS, LightGlueMatcher, PairMatcher
from services.matcher.padded import PaddedLightGlue
from services.matcher.settings import MatcherSettings
from services.matcher.xfeat import XFeatDetector
from shared.errors import SettingsError
from shared.foreground.choice import chosen


@dataclass(frozen=True)
class Engine:
    """What turns crops into keypoints, and keypoints into evidence."""

    extractor: KeypointExtractor
    cascade: Cascade

    def warm_up(self) -> None:
        """Run everything once on noise, so that the first sighting is not slow."""
        noise = np.random.default_rng(0).integers(0, 256, (384, 384, 3), dtype=np.uint8)
        keypoints = self.extractor.extract(noise)
        self.cascade.gather(keypoints, [keypoints])


def engine(settings: MatcherSettings) -> Engine:
    """Load the networks; takes about a second and no network connection.

    Raises:
        SettingsError: weights are not installed, or LightGlue has none for this
            extractor or not so many layers, or the segmenter's file is of no use, or there is
            no GPU as asked.
    """
    segmenter = chosen(settings, settings.threads)
    return Engine(
        KeypointExtractor(_detector(settings), settings.longest_side, segmenter),
        Cascade(settings.neighbour_floor, pair_matcher(settings), settings.lightglue_candidates),
    )


def _detector(settings: MatcherSettings) -> Detector:
    if settings.extractor == "xfeat":
        return XFeatDetector(settings.keypoints, _device(settings))
    return AlikedDetector(settings.extractor, settings.keypoints, _device(settings))


def pair_matcher(settings: MatcherSettings) -> PairMatcher | None:
    """Return the LightGlue that the settings name, if they do.

    Raises:
        SettingsError: there are no weights for this extractor, or not so many layers, or no GPU.
    """
    if settings.lightglue_layers == 0:
        return None
    variant = VARIANTS.get(settings.extractor)
    if variant is None:
        raise SettingsError(
            f"LightGlue has no weights for RESIGHT_MATCHER_EXTRACTOR={settings.extractor}; "
            f"choose one of {', '.join(VARIANTS)}, or set RESIGHT_MATCHER_LIGHTGLUE_LAYERS=0"
        )
    if settings.lightglue_layers > variant.layers:
        raise SettingsError(
            f"RESIGHT_MATCHER_LIGHTGLUE_LAYERS={settings.lightglue_layers}, but "
            f"{variant.name} has {variant.layers}"
        )
    layers, threshold = settings.lightglue_layers, settings.lightglue_threshold
    device, half = _device(settings), settings.precision == "half"
    if device != "cpu":
        return PaddedLightGlue(variant, layers, threshold, device=device, half=half)
    if half:
        raise SettingsError(
            "RESIGHT_MATCHER_PRECISION=half is for a GPU, and the matcher runs on the CPU; set full"
        )
    return LightGlueMatcher(variant, layers, threshold)


def _device(settings: MatcherSettings) -> str:
    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        raise SettingsError(
            "RESIGHT_MATCHER_DEVICE=cuda, but PyTorch sees no GPU here; install its CUDA build and "
            "the driver, or set auto"
        )
    return "cuda" if there and settings.device != "cpu" else "cpu"
