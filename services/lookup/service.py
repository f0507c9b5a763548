"""Turns enrolments into gallery entries, and sightings into candidate lists."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from services.lookup.galleries.gallery import Galleries, Gallery, Query
from services.lookup.galleries.mark import Mark, collection_of
from services.lookup.incoming import (
    enrolled_model,
    identified,
    in_collection,
    list_of,
    model_of,
    query_of,
)
from services.lookup.local_shortlist import LocalShortlist
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
from shared.errors import Poison, Transient
from shared.messages import Candidate, CandidateList, Enrolment, Sighting
from shared.records import Receipt, Result

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
        local: LocalShortlist | None = None,
    ) -> None:
        self._galleries = galleries
        self._settings = settings
        self._sent = sent
        # By model and collection, to see what is missing while a gallery is refilled.
        self._newest: dict[tuple[str, str], int] = {}
        self._refill = refill or Refill(empty=False)
        self._local = local

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
                    enrolments[enrolled_model(message)].append((i, message))
                elif message.identity:
                    results[i] = [identified(message)]
                else:
                    sightings[model_of(message)].append((i, message, query_of(message)))
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
        """Return whether the gallery's engine, and the store of keypoints, respond."""
        return self._galleries.ready() and (self._local is None or self._local.ready())

    def _enrol(self, gallery: Gallery, model: str, enrolments: Sequence[Enrolment]) -> None:
        """Write the points before the watermark, never after."""
        by_name: dict[str, list[Enrolment]] = defaultdict(list)
        for enrolment in enrolments:
            by_name[enrolment.gallery].append(enrolment)
        marks = {name: self._entered(gallery, name, some) for name, some in by_name.items()}
        kept = [each for each in enrolments if each.epoch == marks[each.gallery].epoch]
        self._tell_others(len(enrolments) - len(kept))
        if kept:
            lying = [in_collection(each) for each in kept]
            gallery.enrol(lying)
            if self._local is not None:
                self._local.enrol(lying)
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
        self._galleries.forget_local(collection_of(name, mark.epoch))
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
        asked = [
            (each, replace(query, gallery=collection_of(query.gallery, marks[query.gallery].epoch)))
            for each, query in asked
        ]
        with SEARCH.time():
            answers = self._found(gallery, asked, marks)
        lists = []
        for (sighting, query), found in zip(asked, answers, strict=True):
            if not found:
                self._require_alone(gallery, query, sighting.gallery)
            CANDIDATES.observe(len(found))
            lists.append(list_of(sighting, marks[sighting.gallery], found))
        return lists

    def _found(
        self,
        gallery: Gallery,
        asked: Sequence[tuple[Sighting, Query]],
        marks: Mapping[str, Mark],
    ) -> list[list[Candidate]]:
        """Return each query's candidates; in large galleries votes choose, too."""
        limits = {name: self._limit(mark.watermark) for name, mark in marks.items()}
        few = self._settings.whole_below
        found: dict[int, list[Candidate]] = {}
        large = [i for i, (each, _) in enumerate(asked) if marks[each.gallery].watermark > few]
        if self._local is not None and large:
            some = [asked[i] for i in large]
            chosen = self._local.candidates(gallery, some, self._settings.candidates)
            found.update(zip(large, chosen, strict=True))
        rest = [i for i in range(len(asked)) if i not in found]
        most = max((limits[asked[i][0].gallery] for i in rest), default=0)
        answers = gallery.search([asked[i][1] for i in rest], most) if rest else []
        for i, answer in zip(rest, answers, strict=True):
            found[i] = answer[: limits[asked[i][0].gallery]]
        return [found[i] for i in range(len(asked))]

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
