"""Enrols labelled sightings of a catalogue under their names, without comparing them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256

from google.protobuf.message import Message

from services.registry.calibration.calibration import Calibration
from services.registry.identity.entry import Entry
from services.registry.identity.judge import FOUNDED, Resolved
from services.registry.identity.rank import Verdict
from services.registry.identity.sighting import decision_about, enrolment_of
from services.registry.identity.view import Apart, Conflict, Refusal, View, encounter_of, image_of
from services.registry.ledger.ledger import Ledger
from services.registry.review.operations import OperationError
from services.registry.review.reviewer import ATTEMPTS, Reviewer
from shared.errors import Poison, Transient
from shared.messages import OUTCOME_KNOWN, OUTCOME_NEW, Matches, Sighting

# Prefix of a label's source, so that captures cannot pose as people.
ACTOR = "import"


class Labels:
    """Decides about labelled sightings. `now` is the clock."""

    def __init__(
        self, ledger: Ledger, calibration: Calibration, now: Callable[[], datetime]
    ) -> None:
        self._ledger = ledger
        self._calibration = calibration
        self._now = now

    def decided(self, matches: Matches) -> tuple[Entry | None, Sequence[Message]]:
        """Return the written entry, if any, and what to publish.

        The first sighting of a name founds an individual, later ones join it. A sighting decided
        earlier gets the name now, and moves accordingly.

        Raises:
            Poison: the label is impossible.
            Transient: the ledger does not respond.
        """
        query = matches.query
        for _ in range(ATTEMPTS):
            view = self._ledger.look(query.gallery, query.sighting_id, image_of(query), [])
            anchor, individual = self._ledger.labelled(query.gallery, query.identity)
            if view.entry:
                return None, self._named_late(query, view.entry, anchor)
            answer = self._decide(matches, view, anchor, individual)
            if isinstance(answer, Entry):
                return answer, answer.messages()
        raise Transient(
            f"gallery {query.gallery} changed {ATTEMPTS} times while sighting "
            f"{query.sighting_id} was enrolled as {query.identity}"
        )

    def _decide(
        self, matches: Matches, view: View, anchor: str, individual: str
    ) -> Entry | Refusal | Conflict | Apart:
        query = matches.query
        if individual in view.taken:
            raise _conflict(query, "its picture shows that animal already")
        resolved = Resolved(
            Verdict(OUTCOME_KNOWN if individual else OUTCOME_NEW, individual, 1.0),
            individual or FOUNDED,
            (),
            {},
            anchors=(anchor,) if anchor else (),
        )
        decision = decision_about(matches, resolved, [], self._calibration, self._now())
        decision.identity = query.identity
        decision.actor = actor_of(query)
        return self._ledger.decide(
            decision,
            enrolment_of(query),
            None,
            anchors=resolved.anchors,
            encounter=encounter_of(query),
        )

    def _named_late(self, query: Sighting, before: Entry, anchor: str) -> list[Message]:
        """Apply a label to an enrolled sighting, and return what to publish."""
        published = list(before.messages())
        owner = self._ledger.belongs(query.gallery, [query.sighting_id]).get(query.sighting_id)
        if before.decision.identity == query.identity or owner is None:
            return published
        reviewer = Reviewer(
            self._ledger, self._calibration, query.gallery, actor_of(query), self._now
        )
        if not anchor:
            self._ledger.name(query.gallery, query.identity, query.sighting_id)
        said = [(reviewer.same, anchor)] if anchor else []
        said += [
            (reviewer.different, sighting)
            for name, sighting in sorted(self._ledger.labels(query.gallery).items())
            if name != query.identity
            and self._ledger.belongs(query.gallery, [sighting]).get(sighting) == owner
        ]
        for say, other in said:
            if other == query.sighting_id:
                continue
            told = f"{query.sighting_id} {other} {query.identity}"
            identifier = f"identity-{sha256(told.encode()).hexdigest()[:24]}"
            try:
                entry = say(identifier, query.sighting_id, other, f"a catalogue's {query.identity}")
            except OperationError as error:
                raise _conflict(query, str(error)) from error
            published += entry.messages()
        return published


def actor_of(query: Sighting) -> str:
    """Return the ledger's actor of a label: an import, never a person."""
    return f"{ACTOR}: {query.identified_by}" if query.identified_by else ACTOR


def _conflict(query: Sighting, why: str) -> Poison:
    return Poison(
        f"sighting {query.sighting_id} can't be {query.identity!r} of gallery {query.gallery}: "
        f"{why}; correct the catalogue, or undo the earlier operation, and replay this",
        kind="identity-conflict",
    )
