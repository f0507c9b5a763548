"""A later pass: enrolments made while a query was in progress are compared with it too."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from shared.embeddings import unpack
from shared.messages import Candidate, CandidateList, Enrolment, Matches, Sighting
from shared.viewpoints import compatible


def nearest(
    query: Sighting,
    chunks: Iterable[Sequence[tuple[Enrolment, str]]],
    limit: int,
    seen: AbstractSet[str],
    taken: AbstractSet[str],
) -> list[Candidate]:
    """Return the enrolments nearest to the query by cosine, at most `limit`, nearest first.

    `chunks` gives enrolments with their individuals. Skipped are those of another model, of the
    opposite flank, those `seen` already (by sighting), and sightings of individuals `taken` by
    another animal in the query's picture.

    Raises:
        Poison: the query's embedding is malformed.
    """
    vector = unpack(query.embedding)
    best: list[Candidate] = []
    for chunk in chunks:
        comparable = [
            enrolment
            for enrolment, individual in chunk
            if enrolment.embedding.model == query.embedding.model
            and compatible(enrolment.viewpoint, query.viewpoint)
            and enrolment.sighting_id != query.sighting_id
            and enrolment.sighting_id not in seen
            and individual not in taken
        ]
        if not comparable:
            continue
        cosines = np.stack([unpack(enrolment.embedding) for enrolment in comparable]) @ vector
        best += [
            Candidate(
                sighting_id=enrolment.sighting_id,
                enrolment_number=enrolment.number,
                viewpoint=enrolment.viewpoint,
                crop=enrolment.crop,
                mask=enrolment.mask if enrolment.HasField("mask") else None,
                cosine=float(cosine),
            )
            for enrolment, cosine in zip(comparable, cosines, strict=True)
        ]
        best = sorted(best, key=lambda item: (-item.cosine, item.enrolment_number))[:limit]
    return best


def next_list(
    matches: Matches, watermark: int, epoch: str, candidates: Sequence[Candidate]
) -> CandidateList:
    """Return the candidate list of the query's next pass, with all evidence so far."""
    return CandidateList(
        query=matches.query,
        watermark=watermark,
        candidates=candidates,
        earlier=matches.evidence,
        earlier_votes=matches.votes,
        epoch=epoch,
        pass_number=pass_number(matches) + 1,
    )


def pass_number(matches: Matches) -> int:
    """Return the number of the pass that gave this evidence, from 1."""
    return max(1, matches.pass_number)
