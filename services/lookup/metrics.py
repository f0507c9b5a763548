"""What lookup counts."""

from shared.process.metrics import counter, gauge, histogram

ENROLLED = counter(
    "resight_lookup_enrolments_total",
    "Enrolments made searchable; one that comes again counts again.",
)
GAPS = gauge(
    "resight_lookup_gaps",
    "Galleries in which an enrolment has come but not yet one before it. Above 0 for long: one is "
    "missing, and every mint takes more passes.",
)
OTHER_EPOCHS = counter(
    "resight_lookup_other_epochs_total",
    "Enrolments left out as they are of an earlier epoch of the ledger: of a time that a restore "
    "has undone.",
)
SEARCH = histogram("resight_lookup_search_seconds", "All searches of one batch of sightings.")
CANDIDATES = histogram(
    "resight_lookup_candidates",
    "Candidates that a sighting got; zeros are first sightings of a gallery.",
    (0, 1, 5, 20, 50, 99, 100),
)
EMPTY_ANSWERS = counter(
    "resight_lookup_empty_answers_total",
    "Searches that found nothing although compatible sightings are there: the index is broken.",
)
UNDECIDED = gauge(
    "resight_lookup_undecided",
    "Candidate lists that no decision has been made on, as the pacing last knew.",
)
PACING_FAILURES = counter(
    "resight_lookup_pacing_failures_total",
    "Readings of the lag that failed; sightings are not held back meanwhile.",
)
