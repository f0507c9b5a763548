"""A fixed gallery and its queries, through the services' handlers.

Unlike in `recognition.data.labelled_stream`, queries are not enrolled: all have the same gallery,
as in the usual closed and open splits.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Self, TypeVar, cast

from google.protobuf.message import Message

from recognition.data.labelled_stream import (
    CalibrationRole,
    LabelledCapture,
    LabelledSighting,
    LabelledStreamError,
    handled,
)
from services.registry.calibration.calibration import models_of
from services.registry.identity.sighting import enrolment_of
from shared.errors import Poison
from shared.messages import (
    VIEWPOINT_UNSPECIFIED,
    CandidateList,
    Capture,
    Enrolment,
    Matches,
    Sighting,
)
from shared.records import Handler
from shared.viewpoints import compatible

T = TypeVar("T")
M = TypeVar("M", bound=Message)

TOGETHER = 32  # sightings embedded or looked up together


@dataclass(frozen=True)
class EmbeddedSighting:
    """One labelled sighting; `encounter` and `source` as in `LabelledCapture`."""

    sighting: Sighting
    identity: str
    encounter: str = ""
    source: str = ""

    def apart(self, other: "EmbeddedSighting") -> bool:
        """Return whether the two are not known to be of one encounter."""
        return not self.encounter or self.encounter != other.encounter


@dataclass(frozen=True)
class QueryResult:
    """A query with its evidence, and the truth.

    `relevant`: number of comparable pictures of its individual in the gallery, found or not.
    """

    subject: EmbeddedSighting
    matches: Matches
    labelled: LabelledSighting
    relevant: int

    def with_calibration_role(self, role: CalibrationRole) -> Self:
        """Return it for one calibration role; see `LabelledSighting`."""
        return replace(self, labelled=replace(self.labelled, calibration_role=role))


class GallerySession:
    """Enrolled labelled sightings; identical pictures are enrolled once.

    `workers`: queries compared in parallel.

    Raises:
        LabelledStreamError: a service refuses a sighting.
    """

    def __init__(
        self,
        subjects: Sequence[EmbeddedSighting],
        lookup: Handler[Sighting | Enrolment],
        matcher: Handler[CandidateList],
        workers: int,
    ) -> None:
        self._lookup = lookup
        self._matcher = matcher
        self._workers = workers
        self._held: dict[str, EmbeddedSighting] = {}
        self._of: dict[str, list[EmbeddedSighting]] = defaultdict(list)
        for subject in subjects:
            if self._held.setdefault(subject.sighting.sighting_id, subject) is subject:
                self._of[subject.identity].append(subject)
        for batch in _batches(_enrolments(self._held.values())):
            _all_handled(lookup, batch)

    @property
    def subjects(self) -> tuple[EmbeddedSighting, ...]:
        """Enrolled sightings, in order."""
        return tuple(self._held.values())

    def of(self, identity: str) -> tuple[EmbeddedSighting, ...]:
        """Return the pictures of one individual."""
        return tuple(self._of.get(identity, ()))

    def subject(self, sighting_id: str) -> EmbeddedSighting:
        """Return the sighting enrolled under an ID."""
        return self._held[sighting_id]

    def prepare(self, others: Iterable[EmbeddedSighting] = ()) -> Iterator[None]:
        """Extract the keypoints of the gallery's crops and of others; yield after each.

        Parallel queries would otherwise extract some twice.
        """
        crops = [CandidateList(query=each.sighting) for each in (*self._held.values(), *others)]
        with ThreadPoolExecutor(self._workers, "keypoints") as pool:
            for _ in pool.map(lambda alone: handled(self._matcher, alone, Matches), crops):
                yield

    def ask(
        self, queries: Sequence[EmbeddedSighting], *, other_encounters: bool = False
    ) -> Iterator[QueryResult]:
        """Yield each query with its evidence, in order.

        With `other_encounters` a query is not compared with its own encounter, and never with
        itself.

        Raises:
            LabelledStreamError: a service refuses a query; the text names its picture.
        """
        lists = [
            self._kept(query, found, other_encounters)
            for batch in _batches(queries)
            for query, found in zip(batch, self._look_up(batch), strict=True)
        ]
        with ThreadPoolExecutor(self._workers, "compare") as pool:
            for query, matches in zip(queries, pool.map(self._match, queries, lists), strict=True):
                yield self._asked(query, matches, other_encounters)

    def _look_up(self, batch: Sequence[EmbeddedSighting]) -> list[CandidateList]:
        found = _all_handled(self._lookup, [query.sighting for query in batch])
        return [each for each in found if isinstance(each, CandidateList)]

    def _kept(
        self, query: EmbeddedSighting, found: CandidateList, other_encounters: bool
    ) -> CandidateList:
        kept = CandidateList()
        kept.CopyFrom(found)
        del kept.candidates[:]
        kept.candidates.extend(
            each
            for each in found.candidates
            if not other_encounters or query.apart(self._held[each.sighting_id])
        )
        return kept

    def _match(self, query: EmbeddedSighting, candidates: CandidateList) -> Matches:
        try:
            [matches] = handled(self._matcher, candidates, Matches)
        except LabelledStreamError as error:
            raise LabelledStreamError(f"{query.source}: {error}") from error
        return matches

    def _asked(
        self, query: EmbeddedSighting, matches: Matches, other_encounters: bool
    ) -> QueryResult:
        members = {
            item.candidate.sighting_id: self._held[item.candidate.sighting_id].identity
            for item in matches.evidence
        }
        relevant = sum(
            _comparable(query.sighting, other.sighting)
            and (not other_encounters or query.apart(other))
            for other in self._of.get(query.identity, ())
        )
        labelled = LabelledSighting(
            query.identity, relevant > 0, tuple(matches.evidence), members, models_of(matches)
        )
        return QueryResult(query, matches, labelled, relevant)


def embed(
    captures: Iterable[LabelledCapture], embedder: Handler[Capture], *, whole: bool
) -> Iterator[EmbeddedSighting]:
    """Yield the sighting of each capture of one animal, in order.

    `whole`: viewpoints are ignored, so every query is compared with the whole gallery.

    Raises:
        LabelledStreamError: a picture is refused, or shows several animals.
    """
    for batch in _batches(captures):
        results = embedder.handle([labelled.capture for labelled in batch])
        for labelled, result in zip(batch, results, strict=True):
            if isinstance(result, Poison):
                raise LabelledStreamError(f"{labelled.source}: {result.reason}")
            if len(result) != 1 or len(labelled.identities) != 1:
                raise LabelledStreamError(
                    f"{labelled.source} is not one sighting with one identity"
                )
            sighting = Sighting()
            sighting.CopyFrom(cast("Sighting", result[0]))
            if whole:
                sighting.viewpoint = VIEWPOINT_UNSPECIFIED
            yield EmbeddedSighting(
                sighting, labelled.identities[0], labelled.encounter, labelled.source
            )


def _enrolments(subjects: Iterable[EmbeddedSighting]) -> Iterator[Enrolment]:
    numbers: dict[str, int] = defaultdict(int)
    for subject in subjects:
        enrolment = enrolment_of(subject.sighting)
        numbers[enrolment.gallery] += 1
        enrolment.number = numbers[enrolment.gallery]
        yield enrolment


def _comparable(query: Sighting, other: Sighting) -> bool:
    return (
        query.gallery == other.gallery
        and query.sighting_id != other.sighting_id
        and compatible(query.viewpoint, other.viewpoint)
    )


def _all_handled(handler: Handler[M], messages: Sequence[M]) -> list[Message]:
    answers: list[Message] = []
    for result in handler.handle(messages):
        if isinstance(result, Poison):
            raise LabelledStreamError(result.reason)
        answers.extend(result)
    return answers


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, TOGETHER)):
        yield batch
