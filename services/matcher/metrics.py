"""Metrics of the matcher."""

from shared.process.metrics import DEPLOYED, counter, gauge, histogram

KEYPOINTS = counter(
    "resight_matcher_keypoints_total",
    "Keypoints needed, by source: this process, the cache, the store, or computed from the crop.",
    source=("local", "cache", "store", "computed"),
)
CACHE_FAILURES = counter(
    "resight_matcher_cache_failures_total",
    "Failures of the cache: down (no response) or unreadable (foreign or damaged content).",
    kind=("down", "unreadable"),
)
CACHE_LEFT_ALONE = gauge(
    "resight_matcher_cache_left_alone",
    "1 while the cache is skipped after a failure and keypoints are recomputed.",
)
BACKGROUND = counter(
    "resight_matcher_background_keypoints_total",
    "Keypoints ignored because the query's camera also sees them without the animal.",
)
CANDIDATES = counter(
    "resight_matcher_candidates_total",
    "Candidates by how far they were compared. passed_over: of a longer list, those that neither "
    "the embedding nor a few local features support.",
    depth=("none", "neighbours", "lightglue", "passed_over"),
)
EXTRACTION = histogram(
    "resight_matcher_extraction_seconds",
    "Time to read and decode one crop and extract its keypoints; the mean for a batch.",
)
READY = histogram(
    "resight_matcher_keypoints_seconds",
    "Time to get the keypoints of one list, by whether some were not cached.",
    missing=("none", "some"),
)
COMPARISON = histogram(
    "resight_matcher_comparison_seconds",
    "Time to compare all candidates of one list with its query.",
)
MODEL = gauge(
    "resight_matcher_model_info",
    "1 for each network in use.",
    role=("extractor", "matcher"),
    name=DEPLOYED,
    version=DEPLOYED,
    preprocessing=DEPLOYED,
)
