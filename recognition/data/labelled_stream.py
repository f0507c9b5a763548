"""Labelled captures through the services' handlers, one after the other.

Every sighting is looked up and matched before it is enrolled, so its evidence is what the registry
would see if all earlier decisions were right.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from services.registry.calibration.calibration import Model, models_of
from services.registry.identity.sighting import enrolment_of
from shared.errors import Poison, ResightError
from shared.messages import (
    CandidateList,
    Capture,
    Enrolment,
    Evidence,
    Matches,
    Sighting,
    Viewpoint,
    Votes,
)
from shared.records import Handler
from shared.viewpoints import compatible

M = TypeVar("M", bound=Message)
N = TypeVar("N", bound=Message)


@dataclass(frozen=True)
class LabelledCapture:
    """A capture and its animals: one identity per sighting, in order.

    `encounter`: shared by pictures of one animal at the same time and place; '' if unknown.
        `source`: its origin, for messages.
    """

    capture: Capture
    identities: tuple[str, ...]
    encounter: str = ""
    source: str = ""


CalibrationRole = Literal["both", "known", "new"]


@dataclass(frozen=True)
class LabelledSighting:
    """One sighting with its evidence and the truth.

    `members` gives the true identity of every candidate's sighting; `known`: the gallery held a
    comparable sighting of this identity. `models` made the evidence. `calibration_role` says as
    what it may be used to choose thresholds: an encoder trained on an animal cannot show how it
    sees a new one, and one not trained on it cannot show how it sees a trained one. `number` is
    that of its enrolment in its `gallery`, from 1. `votes` are those of its keypoints.
    """

    identity: str
    known: bool
    evidence: tuple[Evidence, ...]
    members: dict[str, str]
    models: tuple[Model, ...] = ()
    calibration_role: CalibrationRole = "both"
    number: int = 0
    gallery: str = ""
    votes: Votes | None = None

    def labels(self) -> NDArray[np.bool_]:
        """Return for each piece of evidence whether it is of the same individual, bool [N]."""
        return np.array(
            [self.members[item.candidate.sighting_id] == self.identity for item in self.evidence],
            dtype=np.bool_,
        )


class LabelledStreamError(ResightError):
    """A service refused a labelled picture; the text gives its reason."""


@dataclass(frozen=True)
class MatchedSighting:
    """One sighting as the registry would get it, and its individual.

    `number`: of its enrolment in its gallery, from 1; 0 for one that can't be compared.
    """

    labelled: LabelledCapture
    identity: str
    matches: Matches
    number: int


def stream(
    captures: Iterable[LabelledCapture],
    embedder: Handler[Capture],
    lookup: Handler[Sighting | Enrolment],
    matcher: Handler[CandidateList],
) -> Iterator[MatchedSighting]:
    """Yield every sighting with its evidence, then enrol it, unless it can't be compared.

    All sightings are enrolled, so evidence does not depend on decisions.

    Raises:
        LabelledStreamError: a service calls a capture poison.
    """
    seen: set[str] = set()
    enrolled: dict[str, int] = defaultdict(int)
    for labelled in captures:
        sightings = handled(embedder, labelled.capture, Sighting)
        if len(sightings) != len(labelled.identities):
            raise LabelledStreamError(
                f"capture {labelled.capture.capture_id} has {len(sightings)} sightings, but "
                f"{len(labelled.identities)} identities"
            )
        for sighting, identity in zip(sightings, labelled.identities, strict=True):
            if sighting.sighting_id in seen:
                continue
            seen.add(sighting.sighting_id)
            [candidates] = handled(lookup, sighting, CandidateList)
            [matches] = handled(matcher, candidates, Matches)
            matches.watermark = enrolled[sighting.gallery]
            if matches.incomparable:
                yield MatchedSighting(labelled, identity, matches, 0)
                continue
            enrolled[sighting.gallery] += 1
            enrolment = enrolment_of(sighting)
            enrolment.number = enrolled[sighting.gallery]
            yield MatchedSighting(labelled, identity, matches, enrolment.number)
            handled(lookup, enrolment, Message)


def labelled_sightings(
    seen: Iterable[MatchedSighting],
) -> Iterator[tuple[LabelledCapture, LabelledSighting]]:
    """Yield the capture and evidence of each comparable sighting."""
    identities: dict[str, str] = {}
    views: dict[str, set[Viewpoint]] = defaultdict(set)
    for each in seen:
        if not each.number:
            continue
        query, evidence = each.matches.query, tuple(each.matches.evidence)
        members = {
            item.candidate.sighting_id: identities[item.candidate.sighting_id] for item in evidence
        }
        known = any(compatible(query.viewpoint, view) for view in views[each.identity])
        yield (
            each.labelled,
            LabelledSighting(
                each.identity,
                known,
                evidence,
                members,
                models_of(each.matches),
                number=each.number,
                gallery=query.gallery,
                votes=each.matches.votes,
            ),
        )
        identities[query.sighting_id] = each.identity
        views[each.identity].add(query.viewpoint)


def handled(handler: Handler[N], message: N, kind: type[M]) -> list[M]:
    """Return a handler's results for one message; all are of the expected kind.

    Raises:
        LabelledStreamError: it calls the message poison, or returns something else.
    """
    [result] = handler.handle([message])
    if isinstance(result, Poison):
        raise LabelledStreamError(f"{type(handler).__name__}: {result.reason}")
    answers = [item for item in result if isinstance(item, kind)]
    if len(answers) < len(result):
        raise LabelledStreamError(
            f"{type(handler).__name__} returned other results than {kind.__name__}"
        )
    return answers
