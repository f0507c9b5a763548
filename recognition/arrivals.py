"""Labelled captures through the serving code, one after the other, as they would arrive.

Every sighting is looked up and matched by the services' own handlers before it
is enrolled, so the evidence is what the registry would have seen, had it decided
everything before it right.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from services.registry.calibration import Model, models_of
from services.registry.sighting import enrolment_of
from shared.errors import Poison, ResightError
from shared.messages import (
    CandidateList,
    Capture,
    Evidence,
    Matches,
    Sighting,
    Viewpoint,
)
from shared.records import Handler
from shared.viewpoints import compatible

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class LabelledCapture:
    """A capture, and who is in it: one identity for each of its sightings, in order.

    `encounter`: what its pictures of one animal have in common with others of the same
    time and place; '' if that is not known. `source`: where it came from, for messages.
    """

    capture: Capture
    identities: tuple[str, ...]
    encounter: str = ""
    source: str = ""


StandsFor = Literal["both", "known", "new"]


@dataclass(frozen=True)
class Arrival:
    """One sighting with its evidence, and the truth about it.

    `members` gives the true identity of every candidate's sighting; `known`:
    the gallery held a sighting of this identity that it could be compared with.
    `models` made the evidence. `stands_for` says as what it may be asked where thresholds
    are chosen: an encoder that learnt an animal can't show how a new one looks to it,
    and one that never saw it can't show how well it knows those that it learnt. `number` is that
    of its enrolment in its gallery, from 1.
    """

    identity: str
    known: bool
    evidence: tuple[Evidence, ...]
    members: dict[str, str]
    models: tuple[Model, ...] = ()
    stands_for: StandsFor = "both"
    number: int = 0

    def labels(self) -> NDArray[np.bool_]:
        """Return for each piece of evidence whether it is about the same individual, bool [N]."""
        return np.array(
            [self.members[item.candidate.sighting_id] == self.identity for item in self.evidence],
            dtype=np.bool_,
        )


class ArrivalError(ResightError):
    """A service refused a labelled picture; the text is its reason."""


def arrivals(
    captures: Iterable[LabelledCapture], embedder: Handler, lookup: Handler, matcher: Handler
) -> Iterator[tuple[LabelledCapture, Arrival]]:
    """Yield every sighting's capture and evidence, then enrol it under its true identity.

    Raises:
        ArrivalError: a service calls a capture poison.
    """
    identities: dict[str, str] = {}
    views: dict[str, set[Viewpoint]] = defaultdict(set)
    enrolled: dict[str, int] = defaultdict(int)
    for labelled in captures:
        sightings = handled(embedder, labelled.capture, Sighting)
        if len(sightings) != len(labelled.identities):
            raise ArrivalError(
                f"capture {labelled.capture.capture_id} has {len(sightings)} sightings, but "
                f"{len(labelled.identities)} identities"
            )
        for sighting, identity in zip(sightings, labelled.identities, strict=True):
            if sighting.sighting_id in identities:
                continue
            [candidates] = handled(lookup, sighting, CandidateList)
            [matches] = handled(matcher, candidates, Matches)
            members = {
                item.candidate.sighting_id: identities[item.candidate.sighting_id]
                for item in matches.evidence
            }
            known = any(compatible(sighting.viewpoint, view) for view in views[identity])
            models = models_of(matches)
            enrolled[sighting.gallery] += 1
            number = enrolled[sighting.gallery]
            evidence = tuple(matches.evidence)
            yield labelled, Arrival(identity, known, evidence, members, models, number=number)
            identities[sighting.sighting_id] = identity
            views[identity].add(sighting.viewpoint)
            enrolment = enrolment_of(sighting)
            enrolment.number = number
            handled(lookup, enrolment, Message)


def handled(handler: Handler, message: Message, kind: type[M]) -> list[M]:
    """Return what a handler makes of one message; all of it is of the kind expected.

    Raises:
        ArrivalError: it calls the message poison, or answers something else.
    """
    [result] = handler.handle([message])
    if isinstance(result, Poison):
        raise ArrivalError(f"{type(handler).__name__}: {result.reason}")
    answers = [item for item in result if isinstance(item, kind)]
    if len(answers) < len(result):
        raise ArrivalError(f"{type(handler).__name__} answered with other than {kind.__name__}")
    return answers
