"""Labelled captures through the serving code, one after the other, as they would arrive.

Every sighting is looked up and matched by the services' own handlers before it
is enrolled, so the evidence is what the registry would have seen, had it decided
everything before it right.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from recognition.calibration import Cuts, Logistic, RankedQuery, cuts, fit
from services.registry.calibration import Curve
from services.registry.decision import rank
from services.registry.evidence import features
from services.registry.sighting import enrolment_of
from shared.errors import Poison
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


@dataclass(frozen=True)
class LabelledCapture:
    """A capture, and who is in it: one identity for each of its sightings, in order."""

    capture: Capture
    identities: tuple[str, ...]


@dataclass(frozen=True)
class Arrival:
    """One sighting with its evidence, and the truth about it.

    `members` gives the true identity of every candidate's sighting; `known`:
    the gallery held a sighting of this identity that it could be compared with.
    """

    identity: str
    known: bool
    evidence: tuple[Evidence, ...]
    members: dict[str, str]

    def labels(self) -> NDArray[np.bool_]:
        """Return for each piece of evidence whether it is about the same individual, bool [N]."""
        return np.array(
            [self.members[item.candidate.sighting_id] == self.identity for item in self.evidence],
            dtype=np.bool_,
        )


class ArrivalError(RuntimeError):
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
        sightings = _handled(embedder, labelled.capture, Sighting)
        if len(sightings) != len(labelled.identities):
            raise ArrivalError(
                f"capture {labelled.capture.capture_id} has {len(sightings)} sightings, but "
                f"{len(labelled.identities)} identities"
            )
        for sighting, identity in zip(sightings, labelled.identities, strict=True):
            if sighting.sighting_id in identities:
                continue
            [candidates] = _handled(lookup, sighting, CandidateList)
            [matches] = _handled(matcher, candidates, Matches)
            members = {
                item.candidate.sighting_id: identities[item.candidate.sighting_id]
                for item in matches.evidence
            }
            known = any(compatible(sighting.viewpoint, view) for view in views[identity])
            yield labelled, Arrival(identity, known, tuple(matches.evidence), members)
            identities[sighting.sighting_id] = identity
            views[identity].add(sighting.viewpoint)
            enrolled[sighting.gallery] += 1
            enrolment = enrolment_of(sighting)
            enrolment.number = enrolled[sighting.gallery]
            _handled(lookup, enrolment, Message)


def curve(species: Mapping[str, Sequence[Arrival]], false_known: float, false_new: float) -> Curve:
    """Fit the curve and the thresholds on sightings as they arrived, by species.

    One half of them gives the curve, the other half the thresholds: on the
    pairs that fitted it, a curve looks better than it is.
    """
    half = [item for arrived in species.values() for item in arrived[::2]]
    pairs = np.concatenate([features(item.evidence) for item in half])
    labels = np.concatenate([item.labels() for item in half])
    fitted = fit(pairs, labels)
    names = ", ".join(sorted(species))
    count = sum(map(len, species.values()))
    uncut = _curve(fitted, Cuts(known=1.0, new=0.0), names, len(pairs), count)
    queries = [[_ranked(item, uncut) for item in arrived[1::2]] for arrived in species.values()]
    return _curve(fitted, cuts(queries, false_known, false_new), names, len(pairs), count)


def _curve(fitted: Logistic, at: Cuts, fitted_on: str, pairs: int, queries: int) -> Curve:
    return Curve(
        coefficients=fitted.coefficients,
        means=fitted.means,
        scales=fitted.scales,
        intercept=fitted.intercept,
        known=at.known,
        new=at.new,
        fitted_on=fitted_on,
        pairs=pairs,
        queries=queries,
    )


def _ranked(item: Arrival, by: Curve) -> RankedQuery:
    ranking = rank(item.evidence, item.members, frozenset(), by)
    if not ranking:
        return RankedQuery(0.0, item.known, right=False)
    first = ranking[0]
    return RankedQuery(first.probability, item.known, first.individual == item.identity)


def _handled(handler: Handler, message: Message, kind: type[Message]) -> list:  # type: ignore[type-arg]
    [result] = handler.handle([message])
    if isinstance(result, Poison):
        raise ArrivalError(f"{type(handler).__name__}: {result.reason}")
    wrong = [item for item in result if not isinstance(item, kind)]
    if wrong:
        raise ArrivalError(f"{type(handler).__name__} answered {type(wrong[0]).__name__}")
    return list(result)
