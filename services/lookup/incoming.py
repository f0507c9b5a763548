"""Checks what lookup receives, and turns it into queries, lists and gallery entries."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.lookup.galleries.gallery import Query
from services.lookup.galleries.mark import Mark, collection_of
from shared.embeddings import model_name, unpack
from shared.errors import Poison
from shared.messages import Candidate, CandidateList, Enrolment, Matches, Sighting
from shared.viewpoints import opposite


def model_of(message: Enrolment | Sighting) -> str:
    """Return the model of a complete message, or raise Poison."""
    kind = type(message).__name__.lower()
    for field in ("sighting_id", "gallery"):
        if not getattr(message, field):
            raise Poison(f"the {kind} has no {field}; publish its capture again", kind="incomplete")
    if not message.embedding.model.name:
        raise Poison(
            f"the embedding of sighting {message.sighting_id} does not name its model, so it "
            "cannot be compared; embed its capture again",
            kind="bad-embedding",
        )
    return model_name(message.embedding.model)


def enrolled_model(enrolment: Enrolment) -> str:
    """Return the model of a complete enrolment, or raise Poison."""
    if not enrolment.number:
        raise Poison(
            f"the enrolment of sighting {enrolment.sighting_id} has no number; only the ledger "
            "may enrol",
            kind="incomplete",
        )
    _vector(enrolment)
    return model_of(enrolment)


def _vector(message: Enrolment | Sighting) -> NDArray[np.float32]:
    vector = unpack(message.embedding)
    if not vector.any():
        raise Poison(
            f"the embedding of sighting {message.sighting_id} is all zeros; embed its capture "
            "again",
            kind="bad-embedding",
        )
    return vector


def query_of(sighting: Sighting) -> Query:
    """Return the search of a sighting, without the opposite flank.

    Raises:
        Poison: its embedding is unusable.
    """
    hidden = opposite(sighting.viewpoint)
    return Query(sighting.gallery, sighting.sighting_id, _vector(sighting), hidden)


def identified(query: Sighting) -> Matches:
    """Return a query with an identity as Matches without candidates, for the registry.

    Raises:
        Poison: it lacks fields that an enrolment needs.
    """
    model_of(query)
    _vector(query)
    return Matches(query=query, incomparable=query.incomparable, pass_number=1)


def list_of(query: Sighting, mark: Mark, candidates: Sequence[Candidate]) -> CandidateList:
    """Return the first pass of a query."""
    return CandidateList(
        query=query,
        watermark=mark.watermark,
        epoch=mark.epoch,
        candidates=candidates,
        pass_number=1,
    )


def in_collection(enrolment: Enrolment) -> Enrolment:
    """Return an enrolment under its collection name, apart from other epochs."""
    if not enrolment.epoch:
        return enrolment
    lying = Enrolment()
    lying.CopyFrom(enrolment)
    lying.gallery = collection_of(enrolment.gallery, enrolment.epoch)
    return lying
