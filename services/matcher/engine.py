"""The networks that the settings select, for the service and offline evaluation."""

from collections.abc import Mapping

import numpy as np

from services.matcher.cascade.cascade import Cascade
from services.matcher.cascade.policy import POLICIES, Policy
from services.matcher.networks import matcher
from services.matcher.pair_matchers.lightglue import PairMatcher
from services.matcher.settings import MatcherSettings
from shared.keypoints.build import build_crop_extractor
from shared.keypoints.extractors.crop_extractor import CropExtractor


class Engine:
    """Turns crops into keypoints, and keypoints into evidence.

    `cascades`: of galleries with a policy of their own.
    """

    def __init__(
        self, extractor: CropExtractor, default: Cascade, cascades: Mapping[str, Cascade] = {}
    ) -> None:
        self.extractor = extractor
        self._default = default
        self._cascades = cascades

    def cascade(self, gallery: str = "") -> Cascade:
        """Return the cascade for a gallery."""
        return self._cascades.get(gallery, self._default)

    def cascades(self) -> list[Cascade]:
        """Return all cascades."""
        return [self._default, *self._cascades.values()]

    def warm_up(self) -> None:
        """Run everything once on noise, so that the first sighting is not slow."""
        noise = np.random.default_rng(0).integers(0, 256, (384, 384, 3), dtype=np.uint8)
        keypoints = self.extractor.extract(noise)
        for cascade in self.cascades():
            cascade.gather(keypoints, [keypoints])


def build_engine(settings: MatcherSettings) -> Engine:
    """Load the networks; takes about a second and no network access.

    Raises:
        SettingsError: weights are not installed, LightGlue has none for this extractor or depth,
            the segmenter's file is unusable, or the requested GPU is missing.
    """
    matchers: dict[int, PairMatcher] = {}
    made = {
        name: _cascade(settings, POLICIES[name], matchers)
        for name in {settings.policy, *settings.policies.values()}
    }
    return Engine(
        build_crop_extractor(settings, settings.threads),
        made[settings.policy],
        {gallery: made[name] for gallery, name in settings.policies.items()},
    )


def _cascade(
    settings: MatcherSettings, policy: Policy, matchers: dict[int, PairMatcher]
) -> Cascade:
    """Return a policy's cascade; `matchers` are shared by their layers."""
    for stage in policy.stages:
        if stage.layers not in matchers:
            matchers[stage.layers] = matcher(settings, stage.layers)
    chosen_ones = [matchers[stage.layers] for stage in policy.stages]
    return Cascade(
        settings.neighbour_floor, policy, chosen_ones, settings.keypoints, settings.candidates
    )
