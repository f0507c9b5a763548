"""What lookup counts; a closed list."""

from prometheus_client import Counter, Gauge, Histogram

# Enrolments made searchable; one that comes again counts again.
ENROLLED = Counter("resight_lookup_enrolments_total", "Enrolments applied to the gallery.")
# Galleries in which an enrolment has come but not yet one before it, as of the last batches.
# Above 0 for long: an enrolment is missing, and every mint takes more passes.
GAPS = Gauge("resight_lookup_gaps", "Galleries whose enrolments have a gap.")
# All searches of one batch.
SEARCH = Histogram("resight_lookup_search_seconds", "Time to search for one batch of sightings.")
# Candidates that a sighting got; zeros are first sightings of a gallery.
CANDIDATES = Histogram(
    "resight_lookup_candidates", "Candidates per list.", buckets=(0, 1, 5, 20, 50, 99, 100)
)
# Searches that found nothing although compatible sightings are there: the index is broken.
EMPTY_ANSWERS = Counter(
    "resight_lookup_empty_answers_total", "Empty answers of galleries that are not empty."
)
# Lists that no decision has been made on, as the pacing last knew.
UNDECIDED = Gauge("resight_lookup_undecided", "Candidate lists that wait for a decision.")
# Readings of the lag that failed; sightings are not held back meanwhile.
PACING_FAILURES = Counter("resight_lookup_pacing_failures_total", "Failed readings of the lag.")
