"""Outcome of published sightings: a decision or a dead letter each."""

from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.message import DecodeError

from catalogue.publishing.captures import Published, sightings
from catalogue.reading.catalogue import Skipped
from shared.kafka import topics
from shared.messages import CandidateList, Capture, Decision, Matches, Sighting
from shared.stage.dead_letters import DeadLetter


@dataclass(frozen=True)
class PublishedSighting:
    """A published sighting: its picture and label."""

    path: Path
    identity: str  # '' where unlabelled


@dataclass
class Account:
    """The sightings of one run, by ID.

    Repeated events change nothing. Times are seconds of a monotonic clock.
    """

    began: float
    captures: int = 0
    published: dict[str, PublishedSighting] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)  # ID -> the dead letter's reason
    skipped: list[Skipped] = field(default_factory=list)  # pictures that could not be read
    last_news: float = field(default=0.0)

    def __post_init__(self) -> None:
        self.last_news = self.began

    def publish(self, published: Published, now: float) -> None:
        """Record a published capture; an identical picture is the same sighting."""
        self.captures += 1
        self.last_news = now
        photograph = published.photograph
        for identifier, identity in zip(published.sightings, photograph.identities, strict=True):
            self.published.setdefault(identifier, PublishedSighting(photograph.path, identity))

    def decide(self, decision: Decision, now: float) -> None:
        """Record a decision; those about other sightings are ignored."""
        identifier = decision.sighting_id
        if identifier in self.published and identifier not in self.decisions:
            self.decisions[identifier] = decision
            self.last_news = now

    def lose(self, letter: DeadLetter, now: float) -> None:
        """Record the sightings of a dead letter."""
        for identifier in sightings_lost(letter):
            if identifier in self.published and identifier not in self.lost:
                self.lost[identifier] = letter.reason
                self.last_news = now

    @property
    def dead(self) -> dict[str, str]:
        """Sightings in dead letters, without those decided later (replay, identical picture)."""
        return {key: reason for key, reason in self.lost.items() if key not in self.decisions}

    @property
    def missing(self) -> list[str]:
        """Sightings without an outcome yet, in publication order."""
        return [
            identifier
            for identifier in self.published
            if identifier not in self.decisions and identifier not in self.lost
        ]


def sightings_lost(letter: DeadLetter) -> tuple[str, ...]:
    """Return the IDs of the sightings in a dead letter.

    None for an enrolment, whose sighting is decided, and for a value that cannot be decoded.
    """
    value = letter.value or b""
    try:
        if letter.topic == topics.CAPTURES:
            return sightings(Capture.FromString(value))
        if letter.topic == topics.SIGHTINGS:
            return (Sighting.FromString(value).sighting_id,)
        if letter.topic == topics.CANDIDATES:
            return (CandidateList.FromString(value).query.sighting_id,)
        if letter.topic == topics.MATCHES:
            return (Matches.FromString(value).query.sighting_id,)
    except (DecodeError, ValueError):  # ValueError: a digest that is not hexadecimal
        return ()
    return ()
