"""Identifies a query picture: judged like any sighting, but nothing is written."""

from services.registry.calibration.calibration import Calibration
from services.registry.identity.judge import rank_query
from services.registry.identity.view import image_of
from services.registry.ledger.ledger import Ledger
from shared.messages import OUTCOME_KNOWN, Answer, Matches


def answer_query(matches: Matches, ledger: Ledger, calibration: Calibration, ranked: int) -> Answer:
    """Return the result of a query, with at most this many individuals.

    An enrolled picture gets its own individual.

    Raises:
        Poison: the evidence holds impossible numbers.
        Transient: the ledger does not respond.
    """
    query = matches.query
    sightings = sorted({item.candidate.sighting_id for item in matches.evidence})
    view = ledger.look(query.gallery, query.sighting_id, image_of(query), sightings)
    owner = ledger.belongs(query.gallery, [query.sighting_id]).get(query.sighting_id, "")
    ranked_query = rank_query(matches, view, calibration)
    return Answer(
        question=query.question,
        sighting_id=query.sighting_id,
        gallery=query.gallery,
        outcome=OUTCOME_KNOWN if owner else ranked_query.verdict.outcome,
        individual=owner or ranked_query.verdict.individual,
        probability=ranked_query.verdict.probability,
        ranked=ranked_query.ranked[:ranked],
        incomparable=matches.incomparable,
    )
