"""Keypoint extractors: crop to keypoints and descriptors.

To add one, write a module with `build_extractor` and register it here.
"""

from collections.abc import Mapping

# Whoever chooses it confirms the only use that the licence of the published weights allows.
SUPERPOINT = "superpoint-noncommercial"
# Values of RESIGHT_EXTRACTOR_KIND, with their modules here, which are imported when used: most load
# a network.
EXTRACTORS: Mapping[str, str] = {
    "aliked-n16": "aliked",
    "aliked-t16": "aliked",
    "disk": "disk",
    "sift": "sift",
    SUPERPOINT: "superpoint",
    "xfeat": "xfeat",
}
