"""Metrics of the registry."""

from shared.process.metrics import DEPLOYED, counter, gauge, histogram

_ROLES = ("encoder", "extractor", "matcher")

DECISIONS = counter(
    "resight_registry_decisions_total",
    "Decisions written to the ledger. Replays are not counted again.",
    outcome=("known", "new", "review", "unidentifiable"),
)
DECISION_SECONDS = histogram(
    "resight_registry_capture_to_decision_seconds",
    "Time from a capture's publication to the decision about one of its sightings.",
    (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 7200, 86400),
)
PROBABILITY = histogram(
    "resight_registry_probability",
    "Probability of the first-ranked individual, for sightings that can be compared.",
    tuple(step / 20 for step in range(1, 20)),
)
PASSES = histogram(
    "resight_registry_passes",
    "Passes through matcher and registry until a decision; above 1: others were enrolled "
    "meanwhile.",
    (1, 2, 3, 4, 6),
)
CHANGES = counter(
    "resight_registry_changes_total",
    "Changes of individuals made by decisions.",
    change=("founded", "merged", "split"),
)
REFUSALS = counter(
    "resight_registry_mint_refusals_total",
    "New individuals that had to wait: stale (enrolments came in between), leased (another "
    "sighting has the lease), ahead (the gallery has more enrolments than the ledger: rebuild "
    "it), far (too many enrolments in between; lookup searches again).",
    reason=("stale", "leased", "ahead", "far"),
)
UNKNOWN_CANDIDATES = counter(
    "resight_registry_unknown_candidates_total",
    "Candidates unknown to the ledger: the gallery belongs to another one, or is ahead of it.",
)
REPUBLISHED = counter(
    "resight_registry_republished_entries_total",
    "Entries published again at start, because it was not known whether the broker had them.",
)
UNPUBLISHABLE = counter(
    "resight_registry_unpublishable_entries_total",
    "Entries that are too large for their topic, found at start. Each needs an operator.",
)
OTHER_MODELS = counter(
    "resight_registry_other_models_total",
    "Sightings whose evidence comes from a model that the calibration was not fitted on, by the "
    "model's role. None of them is decided known.",
    role=_ROLES,
)
DRIFT = gauge(
    "resight_registry_calibration_drift",
    "Population stability index of the first-ranked probability against the calibration's, of the "
    "gallery where it is highest, over this replica's latest sightings; the log names it. Below "
    "0.1: stable; above 0.25: calibrate again.",
)
CALIBRATION = gauge(
    "resight_registry_calibration_info", "1 for the calibration in use.", title=DEPLOYED
)
QUESTIONS = gauge(
    "resight_registry_questions_open",
    "Pairs of individuals that may be one and await an answer. The same on every replica: take "
    "the maximum.",
)
INDIVIDUALS = gauge(
    "resight_registry_individuals", "Individuals in the ledger. The same on every replica."
)
ENROLMENTS = gauge(
    "resight_registry_enrolments", "Enrolments in the ledger. The same on every replica."
)
GALLERIES = gauge(
    "resight_registry_galleries", "Galleries in the ledger. The same on every replica."
)
UNPUBLISHED = gauge(
    "resight_registry_unpublished_entries",
    "Entries not known to be published. The same on every replica; if above 0 for long, restart "
    "the registry, which publishes them again.",
)
