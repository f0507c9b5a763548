"""Turns matches into decisions and enrolments."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from google.protobuf.message import Message

from services.registry import metrics
from services.registry.calibration.calibration import Calibration, Model
from services.registry.calibration.drift import DriftWatch
from services.registry.identity.entry import OUTCOME_NAMES, Entry
from services.registry.identity.judge import (
    MAX_SIGHTINGS,
    MAX_SIGHTINGS_OF_ONE,
    RankedQuery,
    rank_query,
    resolve_query,
)
from services.registry.identity.later_pass import nearest, next_list, pass_number
from services.registry.identity.sighting import checked, decision_about, enrolment_of
from services.registry.identity.view import Apart, Conflict, Refusal, View, encounter_of, image_of
from services.registry.ledger.change import founds_individuals
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.receipts import acknowledgements
from services.registry.query import answer_query
from services.registry.review.labels import Labels
from services.registry.settings import RegistrySettings
from shared.embeddings import unpack
from shared.errors import Poison, Transient
from shared.messages import CandidateList, Decision, ImagePlace, Matches, Sighting
from shared.records import Receipt, Result

# Immediate attempts to decide. A second one is needed only when another replica wrote to the
# gallery in the millisecond between reading and deciding.
ATTEMPTS = 8

# Maximum number of enrolments compared in a later pass; about 0.1 s.
MOST_BETWEEN = 5000

# One capture holds far fewer animals, but the same image may arrive in several, with other boxes.
MOST_IN_ONE_IMAGE = 256

log = logging.getLogger(__name__)


class RegistryService:
    """Decides the identity of each sighting; see `shared.records.Handler`.

    Matches become their Decision and, if enrolled, its Enrolment; or a CandidateList, when a new
    individual is refused because there are further enrolments to compare; or, if these are too
    many, the Sighting goes back to lookup. Raises Transient when the ledger does not respond. `now`
    is the clock, `wait` the pause before sightings that wait for a lease are tried again, and
    `watch` checks before each batch that the ledger is still the same.
    """

    def __init__(
        self,
        ledger: Ledger,
        calibration: Calibration,
        settings: RegistrySettings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Callable[[float], None] = time.sleep,
        *,
        watch: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledger = ledger
        self._calibration = calibration
        self._settings = settings
        self._now = now
        self._wait = wait
        self._watch = watch
        self._labels = Labels(ledger, calibration, now)
        self._drift = DriftWatch(settings.drift_window)
        self._unseen_models: set[Model] = set()
        metrics.CALIBRATION.labels(calibration.title).set(1)

    def handle(self, messages: Sequence[Matches | ImagePlace]) -> Sequence[Result]:
        """Decide about each message in turn, so that a batch may hold one animal twice."""
        self._watch()
        results = [self._result(message) for message in messages]
        if any(_waits(result) for result in results):
            self._wait(self._settings.leased_wait_seconds)
        return results

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        """Remove acknowledged entries from the ledger's outbox."""
        for gallery, taken in acknowledgements(receipts).items():
            self._ledger.acknowledge(gallery, taken)

    def ready(self) -> bool:
        """Return whether the ledger responds."""
        return self._ledger.ready()

    def _result(self, message: Matches | ImagePlace) -> Result:
        if isinstance(message, ImagePlace):
            self._ledger.keep_place(message.image_sha256, message.place, message.deployment)
            return []
        try:
            checked(message.query)
            unpack(message.query.embedding)
            if message.query.question:
                return [
                    answer_query(message, self._ledger, self._calibration, self._settings.ranked)
                ]
            self._admit(message.query)
            if message.query.identity:
                return self._labelled(message)
            return self._decided(message)
        except Poison as poison:
            return poison

    def _admit(self, query: Sighting) -> None:
        most = self._settings.max_galleries
        if not self._ledger.admit(query.gallery, most):
            raise Poison(
                f"gallery {query.gallery} would exceed the limit of {most} galleries that are "
                "created automatically; correct the species or population of the capture, or add "
                f"it with `resight galleries add {query.gallery}` and replay this",
                kind="too-many-galleries",
            )

    def _labelled(self, matches: Matches) -> Sequence[Message]:
        entry, published = self._labels.decided(matches)
        if entry:
            _count(entry.decision)
            metrics.CHANGES.labels("founded").inc(founds_individuals(entry.decision))
        return published

    def _decided(self, matches: Matches) -> Sequence[Message]:
        query = matches.query
        sightings = sorted({item.candidate.sighting_id for item in matches.evidence})
        unseen_models, encounter = self._calibration.unseen_models(matches), encounter_of(query)
        watermark: int | None = None
        differ: set[frozenset[str]] = set()
        for attempt in range(ATTEMPTS):
            view = self._ledger.look(
                query.gallery, query.sighting_id, image_of(query), sightings, encounter
            )
            if view.entry:
                return view.entry.messages()
            if attempt == 0 and not matches.incomparable:
                # Watermarks of another epoch do not compare with this one's numbers.
                watermark = matches.watermark if matches.epoch == view.epoch else 0
            _check_crowd(query, len(view.taken))
            ranked_query = rank_query(matches, view, self._calibration)
            groups = self._ledger.groups(
                query.gallery, ranked_query.asked, MAX_SIGHTINGS, MAX_SIGHTINGS_OF_ONE
            )
            resolved = resolve_query(
                matches, ranked_query, groups, self._calibration, taken=view.taken, differ=differ
            )
            decision = decision_about(
                matches,
                resolved,
                ranked_query.ranked[: self._settings.ranked],
                self._calibration,
                self._now(),
            )
            answer = self._ledger.decide(
                decision,
                enrolment_of(query),
                watermark,
                self._lease_ms(matches),
                comparisons=ranked_query.comparisons,
                anchors=resolved.anchors,
                encounter=encounter,
                revisions=resolved.revisions,
                questions=resolved.questions,
            )
            if isinstance(answer, Entry):
                metrics.UNKNOWN_CANDIDATES.inc(len(sightings) - len(view.members))
                metrics.CHANGES.labels("founded").inc(founds_individuals(decision))
                self._written(answer, matches, ranked_query, unseen_models)
                return answer.messages()
            if isinstance(answer, Apart):
                differ.add(frozenset((answer.one, answer.other)))
                continue
            if isinstance(answer, Conflict) or watermark is None:
                continue
            if answer.last - answer.after > MOST_BETWEEN:
                # Lookup is far behind, or of another epoch: searching again is cheaper than reading
                # the ledger at 20 µs per enrolment.
                metrics.REFUSALS.labels("far").inc()
                return [query]
            metrics.REFUSALS.labels(_reason(answer, watermark)).inc()
            following = self._next(matches, answer, view)
            if following.candidates or answer.leased:
                return [following]
            # Only incomparable sightings came in between.
            watermark = answer.last
        raise Transient(
            f"gallery {query.gallery} changed {ATTEMPTS} times while sighting "
            f"{query.sighting_id} was being decided"
        )

    def _written(
        self,
        entry: Entry,
        matches: Matches,
        ranked_query: RankedQuery,
        unseen_models: Sequence[Model],
    ) -> None:
        _count(entry.decision)
        self._report(unseen_models)
        if ranked_query.ranked and not matches.incomparable:
            metrics.PROBABILITY.observe(ranked_query.verdict.probability)
            if ranked_query.curve.baseline:
                self._drift.saw(
                    matches.query.gallery,
                    ranked_query.verdict.probability,
                    ranked_query.curve.baseline,
                )

    def _next(self, matches: Matches, refusal: Refusal, view: View) -> CandidateList:
        gallery = matches.query.gallery
        candidates = nearest(
            matches.query,
            self._ledger.between(gallery, refusal.after, refusal.last),
            self._settings.candidates,
            seen={item.candidate.sighting_id for item in matches.evidence},
            taken=view.taken,
        )
        return next_list(matches, refusal.last, view.epoch, candidates)

    def _report(self, unseen_models: Sequence[Model]) -> None:
        """Count models unknown to the calibration; log each once."""
        for model in unseen_models:
            metrics.OTHER_MODELS.labels(model.role).inc()
        for model in set(unseen_models) - self._unseen_models:
            log.warning(
                "the calibration %s was not fitted on the %s %s %s (preprocessing %s), so nothing "
                "is called known; fit one with `resight calibrate`",
                self._calibration.title,
                model.role,
                model.name,
                model.version,
                model.preprocessing,
            )
        self._unseen_models.update(unseen_models)

    def _lease_ms(self, matches: Matches) -> int:
        if pass_number(matches) < self._settings.max_passes:
            return 0
        return round(self._settings.lease_seconds * 1000)


def _check_crowd(query: Sighting, individuals: int) -> None:
    """Refuse an image that keeps getting more animals."""
    if individuals >= MOST_IN_ONE_IMAGE:
        raise Poison(
            f"the image of sighting {query.sighting_id} has {individuals} individuals already, "
            "from captures with different boxes; publish it once, with the right boxes",
            kind="too-many-animals",
        )


def _reason(refusal: Refusal, watermark: int) -> str:
    if refusal.leased:
        return "leased"
    return "ahead" if watermark > refusal.last else "stale"


def _waits(result: Result) -> bool:
    """Return whether a query makes another pass without new comparisons.

    It was refused by a lease, or goes back to lookup.
    """
    if isinstance(result, Poison):
        return False
    return any(
        isinstance(item, Sighting) or (isinstance(item, CandidateList) and not item.candidates)
        for item in result
    )


def _count(decision: Decision) -> None:
    metrics.DECISIONS.labels(OUTCOME_NAMES[decision.outcome]).inc()
    metrics.PASSES.observe(decision.passes)
    for change in decision.changes:
        metrics.CHANGES.labels("split" if change.sightings else "merged").inc()
    if decision.HasField("published_at"):
        elapsed = decision.decided_at.ToDatetime() - decision.published_at.ToDatetime()
        metrics.DECISION_SECONDS.observe(max(0.0, elapsed.total_seconds()))
