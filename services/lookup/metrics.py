"""Metrics of lookup."""

from shared.process.metrics import counter, gauge, histogram

ENROLLED = counter(
    "resight_lookup_enrolments_total",
    "Enrolments made searchable. Redelivered ones count again.",
)
GAPS = gauge(
    "resight_lookup_gaps",
    "Galleries with a gap: an enrolment arrived before an earlier one. If it stays above 0, one "
    "is missing, and new individuals take more passes.",
)
OTHER_EPOCHS = counter(
    "resight_lookup_other_epochs_total",
    "Enrolments ignored because they are of an earlier epoch of the ledger, undone by a restore.",
)
SEARCH = histogram(
    "resight_lookup_search_seconds", "Time of all searches of one batch of sightings."
)
CANDIDATES = histogram(
    "resight_lookup_candidates",
    "Candidates per sighting; 0 is the first sighting of a gallery.",
    (0, 1, 5, 20, 50, 99, 100),
)
WITHOUT_KEYPOINTS = counter(
    "resight_lookup_without_keypoints_total",
    "Sightings without stored keypoints: only their embedding counts in a large gallery.",
    kind=("enrolment", "query"),
)
EMPTY_ANSWERS = counter(
    "resight_lookup_empty_answers_total",
    "Searches without results although compatible sightings are enrolled: the index is broken.",
)
UNDECIDED = gauge(
    "resight_lookup_undecided",
    "Candidate lists without a decision yet, at the last reading of the lag.",
)
PACING_FAILURES = counter(
    "resight_lookup_pacing_failures_total",
    "Failed readings of the lag; until one succeeds, sightings are not held back.",
)
