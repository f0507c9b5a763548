"""Keypoint extractors: crop to keypoints and descriptors.

A new one is a module with `build_extractor`, and a line here.
"""

from collections.abc import Mapping

# The names that RESIGHT_MATCHER_EXTRACTOR may have, and the module under services.matcher that
# builds each. Modules are imported when they are used: most load a network.
EXTRACTORS: Mapping[str, str] = {
    "aliked-n16": "extractors.aliked",
    "aliked-t16": "extractors.aliked",
    "disk": "extractors.disk",
    "sift": "extractors.sift",
    "superpoint": "pair_matchers.superglue",
    "xfeat": "extractors.xfeat",
}
