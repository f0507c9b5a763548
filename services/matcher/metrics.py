"""What the matcher counts."""

from shared.foreground.animal import OUTCOMES
from shared.process.metrics import DEPLOYED, counter, gauge, histogram

KEYPOINTS = counter(
    "resight_matcher_keypoints_total",
    "Crops whose keypoints were needed, by where they came from.",
    source=("local", "cache", "computed"),
)
CACHE_FAILURES = counter(
    "resight_matcher_cache_failures_total",
    "Times the cache was no help: down (no answer) or unreadable (foreign or damaged content).",
    kind=("down", "unreadable"),
)
CACHE_LEFT_ALONE = gauge(
    "resight_matcher_cache_left_alone",
    "1 while the cache is not asked, as it has just failed: keypoints are computed anew.",
)
BACKGROUND = counter(
    "resight_matcher_background_keypoints_total",
    "Keypoints that do not count, since the query's camera sees the like without the animal.",
)
MASKS = counter(
    "resight_matcher_masks_total",
    "Masks by where they came from and what became of them: used, or too little of the box, nearly "
    "all of it, an animal too small in pixels, something beside the box's middle; the whole crop "
    "is gone by then.",
    source=("crop", "embedder"),
    outcome=OUTCOMES,
)
CANDIDATES = counter(
    "resight_matcher_candidates_total",
    "Candidates by how far they were compared; passed_over: of a list longer than is compared, "
    "those that neither the embedding nor a few local features speak for.",
    depth=("none", "neighbours", "lightglue", "passed_over"),
)
EXTRACTION = histogram(
    "resight_matcher_extraction_seconds",
    "One crop read, decoded and through the network; of several at once, their mean.",
)
READY = histogram(
    "resight_matcher_keypoints_seconds",
    "The keypoints of one list, by whether some had to be computed: cold, it costs what they cost.",
    computed=("none", "some"),
)
COMPARISON = histogram(
    "resight_matcher_comparison_seconds", "All candidates of one list against its query."
)
MODEL = gauge(
    "resight_matcher_model_info",
    "1 for each network in use.",
    role=("extractor", "matcher"),
    name=DEPLOYED,
    version=DEPLOYED,
    preprocessing=DEPLOYED,
)
