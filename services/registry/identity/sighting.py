"""Validates a query for the ledger, and converts it to ledger records."""

from collections.abc import Sequence
from datetime import datetime

from services.registry.calibration.calibration import Calibration
from services.registry.identity.judge import Resolved
from services.registry.identity.later_pass import pass_number
from shared.errors import Poison
from shared.identifiers import names_gallery
from shared.messages import (
    Decision,
    Enrolment,
    Matches,
    ModelReference,
    RankedIndividual,
    Sighting,
    Thresholds,
)

ACTOR = "registry"

# Two names of the embedder's maximum length, which may grow when normalised.
MAX_GALLERY = 1000


def checked(query: Sighting) -> Sighting:
    """Return the query if it is valid.

    Raises:
        Poison: it has no ID, or its gallery is not `population/species`.
    """
    if not query.sighting_id:
        raise Poison("the matches name no sighting; the embedder gives every one an ID")
    if len(query.gallery) > MAX_GALLERY or not names_gallery(query.gallery):
        raise Poison(
            f"sighting {query.sighting_id} has the gallery {query.gallery[:200]!r}; a gallery is "
            "population/species in lower-case letters, digits and '-'",
            kind="bad-gallery",
        )
    return query


def decision_about(
    matches: Matches,
    resolved: Resolved,
    ranked: Sequence[RankedIndividual],
    calibration: Calibration,
    decided_at: datetime,
) -> Decision:
    """Return the decision for the ledger, without numbers and new individuals."""
    query = matches.query
    curve = calibration.curve(query.gallery)
    models = (query.embedding.model, matches.extractor, matches.matcher)
    decision = Decision(
        gallery=query.gallery,
        sighting_id=query.sighting_id,
        capture_id=query.capture_id,
        image_sha256=query.image_sha256,
        deployment=query.deployment,
        sequence=query.sequence,
        species=query.species,
        viewpoint=query.viewpoint,
        outcome=resolved.verdict.outcome,
        individual=resolved.individual,
        probability=resolved.verdict.probability,
        ranked=[_without_votes(each) for each in ranked],
        thresholds=Thresholds(known=curve.known, new=curve.new),
        calibration=calibration.title,
        models=[model for model in models if model != ModelReference()],
        passes=pass_number(matches),
        actor=ACTOR,
        incomparable=matches.incomparable,
        changes=resolved.changes,
        known_by=resolved.anchors,
    )
    for name in ("box", "crop", "captured_at", "published_at"):
        if query.HasField(name):
            getattr(decision, name).CopyFrom(getattr(query, name))
    decision.decided_at.FromDatetime(decided_at)
    return decision


def _without_votes(ranked: RankedIndividual) -> RankedIndividual:
    """Return a ranked individual without votes, which the sighting's comparisons hold."""
    kept = RankedIndividual()
    kept.CopyFrom(ranked)
    for name in ("reverse", "reverse_keypoints"):
        kept.best.ClearField(name)
    return kept


def enrolment_of(query: Sighting) -> Enrolment:
    """Return the gallery's part of the query, without the number."""
    enrolment = Enrolment(
        gallery=query.gallery,
        sighting_id=query.sighting_id,
        viewpoint=query.viewpoint,
        embedding=query.embedding,
    )
    if query.HasField("crop"):
        enrolment.crop.CopyFrom(query.crop)
    for name in ("mask", "keypoints"):
        if query.HasField(name):
            getattr(enrolment, name).CopyFrom(getattr(query, name))
    return enrolment
