"""A shortlist by embedding and by local features, for galleries too large to send whole.

An embedding alone loses animals in a large gallery; the nearest descriptors of their keypoints find
them again.
"""

import logging
from collections.abc import Iterator, Sequence
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
# Cosine of those beyond these, for their rank.
FAR = -1.0


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

    def candidates(
        self, gallery: Gallery, asked: Sequence[tuple[Sighting, Query]], most: int
    ) -> list[list[Candidate]]:
        """Return for each query the best candidates by embedding and votes, nearest first.

        Raises:
            Transient: engine or store do not respond.
        """
        worth = self._votes(asked)
        near = gallery.nearest([query for _, query in asked], WIDER * most)
        return [
            _best(gallery, query, dict(found), worth.get(query.sighting_id, {}), most)
            for (_, query), found in zip(asked, near, strict=True)
        ]

    def _votes(self, asked: Sequence[tuple[Sighting, Query]]) -> dict[str, dict[int, float]]:
        """Return what each query's matches are worth, by point."""
        queries = {query.sighting_id: query for _, query in asked}
        worth: dict[str, dict[int, float]] = {}
        for extractor, some in _by_extractor([each for each, _ in asked], "query"):
            found = self._descriptors(extractor, some, "query")
            described = [
                DescriptorQuery(
                    queries[each.sighting_id].gallery,
                    each.sighting_id,
                    found[each.crop.sha256],
                    queries[each.sighting_id].hidden,
                )
                for each in some
                if each.crop.sha256 in found
            ]
            if described:
                length = described[0].descriptors.shape[1]
                index = self._galleries.local(model_name(extractor), length)
                for query, nearest in zip(described, index.nearest(described), strict=True):
                    worth[query.sighting_id] = votes(nearest)
        return worth

    def _descriptors(
        self, extractor: ModelReference, some: Sequence[Enrolment | Sighting], kind: str
    ) -> dict[str, NDArray[np.float32]]:
        """Return the strongest descriptors by the SHA-256 of the crop."""
        name = model_name(extractor)
        if name not in self._stored:
            self._stored[name] = StoredKeypoints(self._store, extractor)
        found = self._stored[name].get(list(dict.fromkeys(each.crop.sha256 for each in some)))
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


def _best(
    gallery: Gallery,
    query: Query,
    cosines: dict[int, float],
    worth: dict[int, float],
    most: int,
) -> list[Candidate]:
    """Return the best by both, by the points near in embedding and those voted for."""
    points = sorted(cosines.keys() | worth.keys())
    ranks = fused_ranks(
        [cosines.get(point, FAR) for point in points], [worth.get(point, 0.0) for point in points]
    )
    chosen = [str(UUID(int=points[i])) for i in np.argsort(-ranks, kind="stable")[:most]]
    found = gallery.named(chosen, query.vector) if chosen else []
    for each in found:
        each.votes = worth.get(UUID(point_id(query.gallery, each.sighting_id)).int, 0.0)
    shown = [each for each in found if each.viewpoint != query.hidden]
    return sorted(shown, key=lambda each: (-each.cosine, each.enrolment_number))
