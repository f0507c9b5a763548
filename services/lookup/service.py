"""Turns enrolments into gallery entries, and sightings into candidate lists."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from services.lookup.galleries.gallery import Galleries, Gallery, Mark, Query, collection_of
from services.lookup.metrics import (
    CANDIDATES,
    EMPTY_ANSWERS,
    ENROLLED,
    GAPS,
    OTHER_EPOCHS,
    SEARCH,
)
from services.lookup.refill import Refill
from services.lookup.settings import LookupSettings
from services.lookup.watermark import advance
from shared.embeddings import model_name, unpack
from shared.errors import Poison, Transient
from shared.messages import Candidate, CandidateList, Enrolment, Matches, Sighting
from shared.records import Receipt, Result
from shared.viewpoints import opposite

log = logging.getLogger(__name__)


class LookupService:
    """Keeps the gallery and returns the nearest candidates of each sighting.

    `sent` is told how many lists the broker has accepted (see `pacing`), `refill` the gaps of
    galleries. All state is in the gallery, so a replay changes nothing and any replica may take
    over.
    """

    def __init__(
        self,
        galleries: Galleries,
        settings: LookupSettings,
        sent: Callable[[int], None],
        refill: Refill | None = None,
    ) -> None:
        self._galleries = galleries
        self._settings = settings
        self._sent = sent
        # By model and collection, to see what is missing while a gallery is refilled.
        self._newest: dict[tuple[str, str], int] = {}
        self._refill = refill or Refill(empty=False)

    def handle(self, messages: Sequence[Sighting | Enrolment]) -> list[Result]:
        """Apply all enrolments, then return one CandidateList for each sighting.

        A sighting with an identity was identified by a person; it goes to the registry as Matches.
        Enrolments have no outputs. Enrolments and sightings are kept apart by model.

        Raises:
            Transient: the gallery does not respond, or returns nothing although it holds comparable
                sightings.
        """
        results: dict[int, Result] = {}
        enrolments: dict[str, list[tuple[int, Enrolment]]] = defaultdict(list)
        sightings: dict[str, list[tuple[int, Sighting, Query]]] = defaultdict(list)
        for i, message in enumerate(messages):
            try:
                if isinstance(message, Enrolment):
                    enrolments[_enrolled_model(message)].append((i, message))
                elif message.identity:
                    results[i] = [_told(message)]
                else:
                    sightings[_model(message)].append((i, message, _query(message)))
            except Poison as poison:
                results[i] = poison
        for model, enrolled in enrolments.items():
            self._enrol(
                self._galleries.open(model), model, [enrolment for _, enrolment in enrolled]
            )
            results.update((i, []) for i, _ in enrolled)
        for model, asked in sightings.items():
            lists = self._search(self._galleries.open(model), [(s, q) for _, s, q in asked])
            results.update((i, [found]) for (i, _, _), found in zip(asked, lists, strict=True))
        return [results[i] for i in range(len(messages))]

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        """Count the lists that now await a decision."""
        self._sent(sum(isinstance(each.message, CandidateList) for each in receipts))

    def ready(self) -> bool:
        """Return whether the gallery's engine responds."""
        return self._galleries.ready()

    def _enrol(self, gallery: Gallery, model: str, enrolments: Sequence[Enrolment]) -> None:
        """Write the points before the watermark, never after."""
        by_name: dict[str, list[Enrolment]] = defaultdict(list)
        for enrolment in enrolments:
            by_name[enrolment.gallery].append(enrolment)
        marks = {name: self._entered(gallery, name, some) for name, some in by_name.items()}
        kept = [each for each in enrolments if each.epoch == marks[each.gallery].epoch]
        self._tell_others(len(enrolments) - len(kept))
        if kept:
            gallery.enrol([_in_collection(each) for each in kept])
        ENROLLED.inc(len(kept))
        for name, mark in marks.items():
            collection = collection_of(name, mark.epoch)
            reached = advance(mark.watermark, partial(gallery.numbers, collection))
            if reached > mark.watermark:
                gallery.set_mark(name, replace(mark, watermark=reached))
            numbers = (each.number for each in by_name[name] if each.epoch == mark.epoch)
            newest = max(max(numbers, default=0), self._newest.get((model, collection), 0))
            self._newest[model, collection] = newest
            self._refill.enrolled(model, name, newest - reached)
        GAPS.set(self._refill.gaps)

    def _entered(self, gallery: Gallery, name: str, enrolments: Sequence[Enrolment]) -> Mark:
        """Return a gallery's mark, in the latest epoch of its enrolments.

        Entries of the previous epoch are removed: the ledger was restored and reuses their numbers.
        """
        mark, latest = gallery.mark(name), max(each.epoch for each in enrolments)
        if latest <= mark.epoch:
            return mark
        if mark.watermark:
            log.warning(
                "gallery %s is emptied: the ledger's epoch is %s, and was %s",
                name,
                latest,
                mark.epoch or "none",
            )
        gallery.forget(collection_of(name, mark.epoch))
        gallery.set_mark(name, Mark(latest))
        return Mark(latest)

    def _tell_others(self, count: int) -> None:
        if count:
            OTHER_EPOCHS.inc(count)
            log.warning("ignored %d enrolments of an earlier epoch of the ledger", count)

    def _search(
        self, gallery: Gallery, asked: Sequence[tuple[Sighting, Query]]
    ) -> list[CandidateList]:
        """Read the marks before searching, so that they never claim too much."""
        names = dict.fromkeys(query.gallery for _, query in asked)
        marks = {name: gallery.mark(name) for name in names}
        queries = [
            replace(query, gallery=collection_of(query.gallery, marks[query.gallery].epoch))
            for _, query in asked
        ]
        limits = {name: self._limit(mark.watermark) for name, mark in marks.items()}
        with SEARCH.time():
            answers = gallery.search(queries, max(limits.values(), default=0))
        lists = []
        for (sighting, _), query, found in zip(asked, queries, answers, strict=True):
            del found[limits[sighting.gallery] :]
            if not found:
                self._require_alone(gallery, query, sighting.gallery)
            CANDIDATES.observe(len(found))
            lists.append(_list(sighting, marks[sighting.gallery], found))
        return lists

    def _limit(self, enrolled: int) -> int:
        """Return the maximum length of a list from a gallery of this many sightings."""
        few = enrolled <= self._settings.whole_below
        return max(self._settings.candidates, enrolled if few else 0)

    def _require_alone(self, gallery: Gallery, query: Query, name: str) -> None:
        """Refuse an empty result from a gallery that is not empty.

        A broken index makes every animal new, silently (Wildbook pull requests 1650, 1662 and
        1770).
        """
        others = gallery.count(query)
        if others:
            EMPTY_ANSWERS.inc()
            raise Transient(
                f"gallery {name} holds {others} sightings comparable with sighting "
                f"{query.sighting_id}, but the search found none: its index is broken. If this "
                "persists, delete the gallery's data and restart lookup, which refills it"
            )


def _model(message: Enrolment | Sighting) -> str:
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


def _enrolled_model(enrolment: Enrolment) -> str:
    if not enrolment.number:
        raise Poison(
            f"the enrolment of sighting {enrolment.sighting_id} has no number; only the ledger "
            "may enrol",
            kind="incomplete",
        )
    _vector(enrolment)
    return _model(enrolment)


def _vector(message: Enrolment | Sighting) -> NDArray[np.float32]:
    vector = unpack(message.embedding)
    if not vector.any():
        raise Poison(
            f"the embedding of sighting {message.sighting_id} is all zeros; embed its capture "
            "again",
            kind="bad-embedding",
        )
    return vector


def _query(sighting: Sighting) -> Query:
    hidden = opposite(sighting.viewpoint)
    return Query(sighting.gallery, sighting.sighting_id, _vector(sighting), hidden)


def _told(query: Sighting) -> Matches:
    """Return a query with an identity as Matches without candidates, for the registry.

    Raises:
        Poison: it lacks fields that an enrolment needs.
    """
    _model(query)
    _vector(query)
    return Matches(query=query, incomparable=query.incomparable, pass_number=1)


def _list(query: Sighting, mark: Mark, candidates: Sequence[Candidate]) -> CandidateList:
    return CandidateList(
        query=query,
        watermark=mark.watermark,
        epoch=mark.epoch,
        candidates=candidates,
        pass_number=1,
    )


def _in_collection(enrolment: Enrolment) -> Enrolment:
    """Return an enrolment under its collection name, apart from other epochs."""
    if not enrolment.epoch:
        return enrolment
    lying = Enrolment()
    lying.CopyFrom(enrolment)
    lying.gallery = collection_of(enrolment.gallery, enrolment.epoch)
    return lying
