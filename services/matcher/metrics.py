"""What the matcher counts; a closed list."""

from prometheus_client import Counter, Histogram

# Keypoints that were needed, by where they came from: local, cache, computed.
KEYPOINTS = Counter(
    "resight_matcher_keypoints_total", "Crops whose keypoints were needed", ["source"]
)
# Times the cache was no help: down (no answer) or unreadable (foreign or damaged content).
CACHE_FAILURES = Counter(
    "resight_matcher_cache_failures_total", "Failures of the keypoint cache", ["kind"]
)
# Keypoints that were not counted, since the query's camera sees the like without the animal.
BACKGROUND = Counter(
    "resight_matcher_background_keypoints_total", "Keypoints of queries that show background"
)
# Masks by where they came from, the embedder or the crop, and what became of them: used, or too
# little of the box, nearly all of it, an animal too small in pixels, something beside the
# box's middle; the whole crop is gone by then.
MASKS = Counter("resight_matcher_masks_total", "Masks of crops", ["source", "outcome"])
# Candidates by how far they were compared: none, neighbours, lightglue.
CANDIDATES = Counter("resight_matcher_candidates_total", "Candidates compared", ["depth"])
# One crop through the network, decoding included.
EXTRACTION = Histogram("resight_matcher_extraction_seconds", "Time to find a crop's keypoints")
# All candidates of one list against its query.
COMPARISON = Histogram("resight_matcher_comparison_seconds", "Time to compare a candidate list")
