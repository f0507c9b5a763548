"""What the settings make of the networks, for the service and for offline evaluation alike."""

from collections.abc import Mapping

import numpy as np

from services.matcher.cascade.cascade import Cascade
from services.matcher.cascade.policy import POLICIES, Policy
from services.matcher.extractors.crop_extractor import CropExtractor
from services.matcher.networks import local_extractor, matcher, segmenter
from services.matcher.pair_matchers.lightglue import PairMatcher
from services.matcher.settings import MatcherSettings


class Engine:
    """What turns crops into keypoints, and keypoints into evidence.

    `cascades`: by gallery, where it has a policy of its own.
    """

    def __init__(
        self, extractor: CropExtractor, default: Cascade, cascades: Mapping[str, Cascade] = {}
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


def build_engine(settings: MatcherSettings) -> Engine:
    """Load the networks; takes about a second and no network connection.

    Raises:
        SettingsError: weights are not installed, or LightGlue has none for this
            extractor or not so many layers, or the segmenter's file is of no use, or there is
            no GPU as asked.
    """
    matchers: dict[int, PairMatcher] = {}
    made = {
        name: _cascade(settings, POLICIES[name], matchers)
        for name in {settings.policy, *settings.policies.values()}
    }
    return Engine(
        CropExtractor(local_extractor(settings), settings.longest_side, segmenter(settings)),
        made[settings.policy],
        {gallery: made[name] for gallery, name in settings.policies.items()},
    )


def _cascade(
    settings: MatcherSettings, policy: Policy, matchers: dict[int, PairMatcher]
) -> Cascade:
    """Return a policy's cascade; `matchers` by their layers are shared."""
    for stage in policy.stages:
        if stage.layers not in matchers:
            matchers[stage.layers] = matcher(settings, stage.layers)
    chosen_ones = [matchers[stage.layers] for stage in policy.stages]
    return Cascade(
        settings.neighbour_floor, policy, chosen_ones, settings.keypoints, settings.candidates
    )
