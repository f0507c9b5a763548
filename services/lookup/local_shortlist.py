"""A shortlist by embedding and by local features, for galleries too large to send whole.

An embedding alone loses animals in a large gallery; the nearest descriptors of their keypoints find
them again.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.lookup.galleries.descriptors import MOST, Described, DescriptorQuery
from services.lookup.galleries.gallery import Galleries, Gallery, Query
from services.lookup.galleries.points import point_id
from services.lookup.metrics import WITHOUT_KEYPOINTS
from services.lookup.votes import votes
from shared.blobs import BlobStore
from shared.embeddings import model_name
from shared.keypoints.stored import StoredKeypoints
from shared.messages import Candidate, Enrolment, ModelReference, Sighting
from shared.votes import fused_ranks

log = logging.getLogger(__name__)

# Candidates by embedding, as a multiple of the list's length, from which the best are chosen.
WIDER = 2


@dataclass(frozen=True)
class Asked:
    """A query with its candidates by embedding, best first, in its collection."""

    sighting: Sighting
    query: Query
    found: list[Candidate]


class LocalShortlist:
    """The descriptors of all galleries. They are read from the embedder's keypoints in `store`."""

    def __init__(self, galleries: Galleries, store: BlobStore) -> None:
        self._galleries = galleries
        self._store = store
        self._stored: dict[str, StoredKeypoints] = {}

    def ready(self) -> bool:
        """Return whether the store responds."""
        return self._store.ready()

    def enrol(self, enrolments: Sequence[Enrolment]) -> None:
        """Index the descriptors of enrolments, each under its collection's name.

        Raises:
            Transient: engine or store do not respond.
        """
        for extractor, some in _by_extractor(enrolments, "enrolment"):
            found = self._descriptors(extractor, some, "enrolment")
            described = [
                Described(each.gallery, each.sighting_id, each.viewpoint, found[each.crop.sha256])
                for each in some
                if each.crop.sha256 in found
            ]
            if described:
                length = described[0].descriptors.shape[1]
                self._galleries.local(model_name(extractor), length).enrol(described)

    def extended(
        self, gallery: Gallery, asked: Sequence[Asked], most: int
    ) -> list[list[Candidate]]:
        """Return for each query the best candidates by embedding and votes, `most` of them.

        Raises:
            Transient: engine or store do not respond.
        """
        worth: dict[str, dict[int, float]] = {each.sighting.sighting_id: {} for each in asked}
        for extractor, some in _by_extractor([each.sighting for each in asked], "query"):
            found = self._descriptors(extractor, some, "query")
            queries = [
                DescriptorQuery(
                    each.query.gallery,
                    each.query.sighting_id,
                    found[each.sighting.crop.sha256],
                    each.query.hidden,
                )
                for each in asked
                if each.sighting.keypoints == extractor and each.sighting.crop.sha256 in found
            ]
            if queries:
                length = queries[0].descriptors.shape[1]
                index = self._galleries.local(model_name(extractor), length)
                for query, nearest in zip(queries, index.nearest(queries), strict=True):
                    worth[query.sighting_id] = votes(nearest)
        return [_best(gallery, each, worth[each.sighting.sighting_id], most) for each in asked]

    def _descriptors(
        self, extractor: ModelReference, some: Sequence[Enrolment | Sighting], kind: str
    ) -> dict[str, NDArray[np.float32]]:
        """Return the strongest descriptors by the SHA-256 of the crop."""
        name = model_name(extractor)
        stored = self._stored.setdefault(name, StoredKeypoints(self._store, extractor))
        found = stored.get(list(dict.fromkeys(each.crop.sha256 for each in some)))
        for each in some:
            if each.crop.sha256 not in found:
                WITHOUT_KEYPOINTS.labels(kind).inc()
                log.warning(
                    "the keypoints of sighting %s are missing in the store, so only its embedding "
                    "counts; see `resight ledger keypoints`",
                    each.sighting_id,
                )
        return {
            digest: keypoints.best(MOST).unit()
            for digest, keypoints in found.items()
            if len(keypoints)
        }


def _by_extractor(
    some: Sequence[Enrolment] | Sequence[Sighting], kind: str
) -> Iterator[tuple[ModelReference, list[Enrolment | Sighting]]]:
    """Yield extractors with the messages whose keypoints they found."""
    grouped: dict[str, list[Enrolment | Sighting]] = {}
    for each in some:
        if each.HasField("keypoints"):
            grouped.setdefault(model_name(each.keypoints), []).append(each)
        else:
            WITHOUT_KEYPOINTS.labels(kind).inc()
    for messages in grouped.values():
        yield messages[0].keypoints, messages


def _best(gallery: Gallery, asked: Asked, worth: dict[int, float], most: int) -> list[Candidate]:
    """Return the best by both, nearest by embedding first."""
    name = asked.query.gallery
    there = {_point(name, each): each for each in asked.found}
    voted = sorted(worth, key=lambda point: -worth[point])[:most]
    missing = [str(UUID(int=point)) for point in voted if point not in there]
    for each in gallery.named(missing, asked.query.vector) if missing else ():
        there[_point(name, each)] = each
    for point, each in there.items():
        each.votes = worth.get(point, 0.0)
    every = list(there.values())
    ranks = fused_ranks([each.cosine for each in every], [each.votes for each in every])
    chosen = [every[i] for i in np.argsort(-ranks, kind="stable")[:most]]
    return sorted(chosen, key=lambda each: -each.cosine)


def _point(gallery: str, each: Candidate) -> int:
    return UUID(point_id(gallery, each.sighting_id)).int
