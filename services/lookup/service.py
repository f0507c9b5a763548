"""Enrolments and sightings in, candidate lists out; what has an identity goes to the registry."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from services.lookup.gallery import Galleries, Gallery, Query
from services.lookup.metrics import CANDIDATES, EMPTY_ANSWERS, ENROLLED, GAPS, SEARCH
from services.lookup.settings import LookupSettings
from services.lookup.watermark import advance
from shared.embeddings import model_name, unpack
from shared.errors import Poison, Transient
from shared.messages import Candidate, CandidateList, Enrolment, Matches, Sighting
from shared.records import Receipt, Result
from shared.viewpoints import opposite


class LookupService:
    """Keeps the gallery and answers each sighting with its nearest candidates.

    `sent` is told how many lists the broker has taken (see `pacing`). What the
    service knows lies in the gallery, so a replay changes nothing and a replica
    may take over at any time.
    """

    def __init__(
        self, galleries: Galleries, settings: LookupSettings, sent: Callable[[int], None]
    ) -> None:
        self._galleries = galleries
        self._settings = settings
        self._sent = sent
        self._gaps: set[str] = set()

    def handle(self, messages: Sequence[Message]) -> list[Result]:
        """Apply all enrolments, then return one CandidateList for each sighting.

        Of one with an identity a person says who it is: it goes on to the registry as Matches.

        Enrolments have no outputs. Enrolments and sightings of another model
        meet in that model's gallery only.

        Raises:
            Transient: the gallery does not answer, or answers with nothing though
                it holds sightings to compare with.
        """
        results: dict[int, Result] = {}
        enrolments: dict[str, list[tuple[int, Enrolment]]] = defaultdict(list)
        sightings: dict[str, list[tuple[int, Sighting, Query]]] = defaultdict(list)
        for i, message in enumerate(messages):
            try:
                if isinstance(message, Enrolment):
                    enrolments[_enrolled_model(message)].append((i, message))
                elif isinstance(message, Sighting) and message.identity:
                    results[i] = [_told(message)]
                elif isinstance(message, Sighting):
                    sightings[_model(message)].append((i, message, _query(message)))
                else:
                    raise TypeError(f"lookup can't handle {type(message).__name__}")
            except Poison as poison:
                results[i] = poison
        for model, enrolled in enrolments.items():
            self._enrol(self._galleries.open(model), [enrolment for _, enrolment in enrolled])
            results.update((i, []) for i, _ in enrolled)
        for model, asked in sightings.items():
            lists = self._search(self._galleries.open(model), [(s, q) for _, s, q in asked])
            results.update((i, [found]) for (i, _, _), found in zip(asked, lists, strict=True))
        return [results[i] for i in range(len(messages))]

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        """Count the lists that now wait for a decision."""
        self._sent(sum(isinstance(each.message, CandidateList) for each in receipts))

    def ready(self) -> bool:
        """Return whether the gallery's engine answers."""
        return self._galleries.ready()

    def _enrol(self, gallery: Gallery, enrolments: Sequence[Enrolment]) -> None:
        """Write the points first and the watermark after them, never the other way round."""
        gallery.enrol(enrolments)
        ENROLLED.inc(len(enrolments))
        for name in dict.fromkeys(enrolment.gallery for enrolment in enrolments):
            before = gallery.watermark(name)
            reached = advance(before, partial(gallery.numbers, name))
            if reached > before:
                gallery.set_watermark(name, reached)
            newest = max(each.number for each in enrolments if each.gallery == name)
            if newest > reached:
                self._gaps.add(name)
            else:
                self._gaps.discard(name)
        GAPS.set(len(self._gaps))

    def _search(
        self, gallery: Gallery, asked: Sequence[tuple[Sighting, Query]]
    ) -> list[CandidateList]:
        """Read the watermarks before the search: they may only promise too little."""
        queries = [query for _, query in asked]
        names = dict.fromkeys(query.gallery for query in queries)
        watermarks = {name: gallery.watermark(name) for name in names}
        limits = {name: self._limit(watermark) for name, watermark in watermarks.items()}
        with SEARCH.time():
            answers = gallery.search(queries, max(limits.values(), default=0))
        lists = []
        for (sighting, query), found in zip(asked, answers, strict=True):
            del found[limits[query.gallery] :]
            if not found:
                self._require_alone(gallery, query)
            CANDIDATES.observe(len(found))
            lists.append(_list(sighting, watermarks[query.gallery], found))
        return lists

    def _limit(self, enrolled: int) -> int:
        """Return how long a list of a gallery may be that has so many sightings."""
        few = enrolled <= self._settings.whole_below
        return max(self._settings.candidates, enrolled if few else 0)

    def _require_alone(self, gallery: Gallery, query: Query) -> None:
        """Refuse an empty answer of a gallery that is not empty.

        A broken index makes every animal new, silently (Wildbook pull requests
        1650, 1662 and 1770).
        """
        others = gallery.count(query)
        if others:
            EMPTY_ANSWERS.inc()
            raise Transient(
                f"gallery {query.gallery} holds {others} sightings to compare with sighting "
                f"{query.sighting_id}, but the search found none; its index is broken: if this "
                "stays, delete the gallery's data and start lookup again, which refills it"
            )


def _model(message: Enrolment | Sighting) -> str:
    """Return the model of a message that says what it must, or raise Poison."""
    kind = type(message).__name__.lower()
    for field in ("sighting_id", "gallery"):
        if not getattr(message, field):
            raise Poison(f"the {kind} has no {field}; publish its capture again", kind="incomplete")
    if not message.embedding.model.name:
        raise Poison(
            f"the embedding of sighting {message.sighting_id} does not name its model, so "
            "nothing may be compared with it; embed its capture again",
            kind="bad-embedding",
        )
    return model_name(message.embedding.model)


def _enrolled_model(enrolment: Enrolment) -> str:
    if not enrolment.number:
        raise Poison(
            f"the enrolment of sighting {enrolment.sighting_id} has no number; only the "
            "ledger may enrol",
            kind="incomplete",
        )
    _vector(enrolment)
    return _model(enrolment)


def _vector(message: Enrolment | Sighting) -> NDArray[np.float32]:
    vector = unpack(message.embedding)
    if not vector.any():
        raise Poison(
            f"the embedding of sighting {message.sighting_id} is all zeros and like nothing; "
            "embed its capture again",
            kind="bad-embedding",
        )
    return vector


def _query(sighting: Sighting) -> Query:
    hidden = opposite(sighting.viewpoint)
    return Query(sighting.gallery, sighting.sighting_id, _vector(sighting), hidden)


def _told(query: Sighting) -> Matches:
    """Return a query with an identity as the registry takes it: compared with nothing.

    Raises:
        Poison: it lacks what an enrolment must have.
    """
    _model(query)
    _vector(query)
    first: dict[str, Any] = {"pass": 1}
    return Matches(query=query, incomparable=query.incomparable, **first)


def _list(query: Sighting, watermark: int, candidates: Sequence[Candidate]) -> CandidateList:
    first: dict[str, Any] = {"pass": 1}  # a keyword of Python
    return CandidateList(query=query, watermark=watermark, candidates=candidates, **first)
