"""The networks that the settings name, for the service and for offline evaluation alike."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from services.matcher.aliked import AlikedDetector
from services.matcher.cascade import Cascade
from services.matcher.detector import Detector
from services.matcher.disk import DiskDetector
from services.matcher.extractor import KeypointExtractor
from services.matcher.lightglue import VARIANTS, PairMatcher
from services.matcher.onnx_export import default_folder
from services.matcher.onnx_lightglue import OnnxLightGlue
from services.matcher.padded import PaddedLightGlue
from services.matcher.policy import POLICIES, Policy
from services.matcher.settings import MatcherSettings
from services.matcher.sift import SiftDetector
from services.matcher.xfeat import XFeatDetector
from shared.errors import SettingsError
from shared.foreground.choice import chosen


class Engine:
    """What turns crops into keypoints, and keypoints into evidence.

    `cascades`: by gallery, where it has a policy of its own.
    """

    def __init__(
        self, extractor: KeypointExtractor, default: Cascade, cascades: Mapping[str, Cascade] = {}
    ) -> None:
        self.extractor = extractor
        self._default = default
        self._cascades = cascades

    def cascade(self, gallery: str = "") -> Cascade:
        """Return what compares the sightings of a gallery."""
        return self._cascades.get(gallery, self._default)

    def cascades(self) -> list[Cascade]:
        """Return all that there are."""
        return [self._default, *self._cascades.values()]

    def warm_up(self) -> None:
        """Run everything once on noise, so that the first sighting is not slow."""
        noise = np.random.default_rng(0).integers(0, 256, (384, 384, 3), dtype=np.uint8)
        keypoints = self.extractor.extract(noise)
        for cascade in self.cascades():
            cascade.gather(keypoints, [keypoints])


def engine(settings: MatcherSettings) -> Engine:
    """Load the networks; takes about a second and no network connection.

    Raises:
        SettingsError: weights are not installed, or LightGlue has none for this
            extractor or not so many layers, or the segmenter's file is of no use, or there is
            no GPU as asked.
    """
    segmenter = chosen(settings, settings.threads)
    matchers: dict[int, PairMatcher] = {}
    made = {
        name: _cascade(settings, POLICIES[name], matchers)
        for name in {settings.policy, *settings.policies.values()}
    }
    return Engine(
        KeypointExtractor(_detector(settings), settings.longest_side, segmenter),
        made[settings.policy],
        {gallery: made[name] for gallery, name in settings.policies.items()},
    )


def _cascade(
    settings: MatcherSettings, policy: Policy, matchers: dict[int, PairMatcher]
) -> Cascade:
    """Return a policy's cascade; `matchers` by their layers are shared."""
    for stage in policy.stages:
        if stage.layers not in matchers:
            matchers[stage.layers] = _matcher(settings, stage.layers)
    chosen_ones = [matchers[stage.layers] for stage in policy.stages]
    return Cascade(
        settings.neighbour_floor, policy, chosen_ones, settings.keypoints, settings.candidates
    )


def _detector(settings: MatcherSettings) -> Detector:
    if settings.extractor == "sift":
        return SiftDetector(settings.keypoints)
    if settings.extractor == "disk":
        return DiskDetector(settings.keypoints, _device(settings))
    if settings.extractor == "xfeat":
        return XFeatDetector(settings.keypoints, _device(settings))
    return AlikedDetector(settings.extractor, settings.keypoints, _device(settings))


def pair_matcher(settings: MatcherSettings) -> PairMatcher | None:
    """Return the LightGlue that the policy asks first, if it asks one.

    Raises:
        SettingsError: there are no weights for this extractor, or not so many layers, or no GPU.
    """
    stages = POLICIES[settings.policy].stages
    return _matcher(settings, stages[0].layers) if stages else None


def _matcher(settings: MatcherSettings, layers: int) -> PairMatcher:
    variant = VARIANTS.get(settings.extractor)
    if variant is None:
        raise SettingsError(
            f"LightGlue has no weights for RESIGHT_MATCHER_EXTRACTOR={settings.extractor}; "
            f"choose one of {', '.join(VARIANTS)}, or set RESIGHT_MATCHER_POLICY=neighbours"
        )
    if layers > variant.layers:
        raise SettingsError(
            f"the policy wants {layers} layers of LightGlue, but {variant.name} has "
            f"{variant.layers}; choose another RESIGHT_MATCHER_POLICY, or extractor"
        )
    device, precision = _device(settings), settings.precision
    if device != "cpu":
        if precision == "int8":
            raise SettingsError(
                "RESIGHT_MATCHER_PRECISION=int8 is for a CPU, and the matcher runs on a GPU; "
                "set half"
            )
        half = precision != "full"
        return PaddedLightGlue(
            variant, layers, settings.lightglue_threshold, device=device, half=half
        )
    if precision == "half":
        raise SettingsError(
            "RESIGHT_MATCHER_PRECISION=half is for a GPU, and the matcher runs on the CPU; set int8"
        )
    return OnnxLightGlue(
        variant,
        layers,
        settings.lightglue_threshold,
        precision="full" if precision == "full" else "int8",
        folder=Path(settings.models) if settings.models else default_folder(),
        threads=settings.threads,
    )


def _device(settings: MatcherSettings) -> str:
    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        raise SettingsError(
            "RESIGHT_MATCHER_DEVICE=cuda, but PyTorch sees no GPU here; install its CUDA build and "
            "the driver, or set auto"
        )
    return "cuda" if there and settings.device != "cpu" else "cpu"
