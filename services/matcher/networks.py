"""Builds the pair matchers that the settings select."""

from pathlib import Path

from services.matcher.cascade.policy import FIRST, POLICIES
from services.matcher.pair_matchers.batched_lightglue import BatchedLightGlue
from services.matcher.pair_matchers.lightglue import VARIANTS, PairMatcher
from services.matcher.pair_matchers.onnx_export import default_folder
from services.matcher.pair_matchers.onnx_lightglue import OnnxLightGlue
from services.matcher.pair_matchers.superglue import SuperGlueMatcher
from services.matcher.settings import MatcherSettings
from shared.errors import SettingsError
from shared.keypoints.build import chosen_device
from shared.keypoints.extractors import SUPERPOINT
from shared.keypoints.extractors.superpoint import load_pair


def pair_matcher(settings: MatcherSettings) -> PairMatcher | None:
    """Return the LightGlue of the policy's first stage, if it has one.

    Raises:
        SettingsError: no weights for this extractor or depth, or no GPU.
    """
    stages = POLICIES[settings.policy].stages
    return matcher(settings, stages[0].layers) if stages else None


def matcher(settings: MatcherSettings, layers: int) -> PairMatcher:
    """Return the matcher's first layers for the configured extractor.

    Raises:
        SettingsError: no weights for this extractor or depth, or no GPU.
    """
    if settings.extractor == SUPERPOINT:
        if layers > FIRST:
            raise SettingsError(
                "SuperGlue has a fixed depth; choose another RESIGHT_MATCHER_POLICY than deep"
            )
        pair = load_pair(settings.superglue, chosen_device(settings))
        return SuperGlueMatcher(pair, settings.lightglue_threshold)
    variant = VARIANTS.get(settings.extractor)
    if variant is None:
        raise SettingsError(
            f"LightGlue has no weights for RESIGHT_EXTRACTOR_KIND={settings.extractor}; "
            f"choose one of {', '.join(VARIANTS)}, or set RESIGHT_MATCHER_POLICY=neighbours"
        )
    if layers > variant.layers:
        raise SettingsError(
            f"the policy needs {layers} layers of LightGlue, but {variant.name} has "
            f"{variant.layers}; choose another RESIGHT_MATCHER_POLICY or extractor"
        )
    device, precision = chosen_device(settings), settings.precision
    if device != "cpu":
        if precision == "int8":
            raise SettingsError(
                "RESIGHT_MATCHER_PRECISION=int8 needs a CPU, but the matcher runs on a GPU; set "
                "half"
            )
        return BatchedLightGlue(
            variant,
            layers,
            settings.lightglue_threshold,
            device=device,
            half=precision != "full",
            compiled=settings.keypoints if settings.compiled else 0,
        )
    if precision == "half":
        raise SettingsError(
            "RESIGHT_MATCHER_PRECISION=half needs a GPU, but the matcher runs on the CPU; set int8"
        )
    return OnnxLightGlue(
        variant,
        layers,
        settings.lightglue_threshold,
        precision="full" if precision == "full" else "int8",
        folder=Path(settings.models) if settings.models else default_folder(),
        threads=settings.threads,
    )
