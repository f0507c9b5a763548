"""Keypoint extractors: crop to keypoints and descriptors.

To add one, write a module with `build_extractor` and register it here.
"""

from collections.abc import Mapping

# Values of RESIGHT_MATCHER_EXTRACTOR, with their modules under services.matcher. They are imported
# when used: most load a network.
EXTRACTORS: Mapping[str, str] = {
    "aliked-n16": "extractors.aliked",
    "aliked-t16": "extractors.aliked",
    "disk": "extractors.disk",
    "sift": "extractors.sift",
    "superpoint": "pair_matchers.superglue",
    "xfeat": "extractors.xfeat",
}
