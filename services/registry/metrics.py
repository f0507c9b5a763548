"""What the registry counts, beside what every service does."""

from prometheus_client import Counter, Gauge, Histogram

# Decisions written, by outcome: known, new, review, unidentifiable. A replay is not counted again.
DECISIONS = Counter("resight_decisions", "Decisions written to the ledger", ["outcome"])

# Seconds from a capture's publication to its decision.
DECISION_SECONDS = Histogram(
    "resight_decision_seconds",
    "Time from the publication of a capture to the decision about it",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)

# Mints refused, by reason: stale (enrolments came in between), leased (another alone may
# mint), ahead (the gallery claims more enrolments than the ledger has: check and rebuild it).
REFUSALS = Counter("resight_mint_refusals", "New individuals that had to wait", ["reason"])

# Candidates that the ledger does not know: the gallery is not this ledger's, or ahead of it.
UNKNOWN_CANDIDATES = Counter(
    "resight_unknown_candidates", "Candidates ignored because the ledger does not know them"
)

# Entries published again at start because the broker was not known to have them.
REPUBLISHED = Counter("resight_republished_entries", "Ledger entries published again at start")

# Entries that are too large for their topic, found at start. Each is work for a person.
UNPUBLISHABLE = Counter(
    "resight_unpublishable_entries", "Ledger entries that their topic does not take"
)

# Sightings whose evidence comes from models that the calibration was not fitted on, by role of
# the strange model (encoder, extractor, matcher). None of them is decided "known".
OTHER_MODELS = Counter(
    "resight_calibration_other_models",
    "Sightings whose evidence comes from a model that the calibration was not fitted on",
    ["role"],
)

# Population stability index of the first-ranked probability, against the calibration's: below
# 0.1 stable, above 0.25 fit again. Of the gallery where it is largest, over this replica's
# latest sightings; the log names it.
DRIFT = Gauge(
    "resight_calibration_drift",
    "How far the evidence has moved away from what the calibration was fitted on",
)
