"""Topics: which message is on which topic, and with which key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from shared.messages import (
    Answer,
    CandidateList,
    Capture,
    Decision,
    Enrolment,
    ImagePlace,
    Matches,
    Sighting,
)

CAPTURES = "resight.captures.v1"
SIGHTINGS = "resight.sightings.v1"
PLACES = "resight.places.v1"
CANDIDATES = "resight.candidates.v1"
MATCHES = "resight.matches.v1"
DECISIONS = "resight.decisions.v1"
ENROLMENTS = "resight.enrolments.v1"
ANSWERS = "resight.answers.v1"

_DEAD_LETTERS = ".dlq"

ALL = (CAPTURES, SIGHTINGS, PLACES, CANDIDATES, MATCHES, DECISIONS, ENROLMENTS, ANSWERS)

# Consumer group (one per service) -> the topics it reads.
INPUTS = {
    "embedder": (CAPTURES,),
    "lookup": (SIGHTINGS, ENROLMENTS),
    "matcher": (CANDIDATES,),
    "registry": (MATCHES, PLACES),
}

# ... -> the topics that it writes, dead letters apart.
OUTPUTS = {
    "embedder": (SIGHTINGS, PLACES),
    "lookup": (CANDIDATES, MATCHES),
    "matcher": (MATCHES,),
    "registry": (SIGHTINGS, DECISIONS, ENROLMENTS, CANDIDATES, ANSWERS),
}


@dataclass(frozen=True)
class Address:
    """Topic and partition key of a message."""

    topic: str
    key: str


_ADDRESSES: Mapping[type[Message], tuple[str, Callable[[Any], str]]] = {
    Capture: (CAPTURES, lambda capture: capture.deployment),
    Sighting: (SIGHTINGS, lambda sighting: sighting.deployment),
    ImagePlace: (PLACES, lambda place: place.deployment),
    CandidateList: (CANDIDATES, lambda candidates: candidates.query.deployment),
    Matches: (MATCHES, lambda matches: matches.query.deployment),
    Decision: (DECISIONS, lambda decision: decision.deployment),
    Enrolment: (ENROLMENTS, lambda enrolment: enrolment.gallery),
    Answer: (ANSWERS, lambda answer: answer.question),
}


def address(message: Message) -> Address:
    """Return the topic and key of any message of this system.

    Raises:
        TypeError: the message has no topic of its own.
    """
    found = _ADDRESSES.get(type(message))
    if found is not None:
        topic, key = found
        return Address(topic, key(message))
    raise TypeError(f"no topic carries {type(message).__name__}")


def dead_letters(topic: str, group: str) -> str:
    """Return the dead-letter topic of one consumer group on one topic."""
    return f"{topic}.{group}{_DEAD_LETTERS}"


def is_dead_letters(topic: str) -> bool:
    """Return whether a topic is a dead-letter topic."""
    return topic.endswith(_DEAD_LETTERS)


def dead_letter_topics() -> tuple[str, ...]:
    """Return the dead-letter topics of every service."""
    return tuple(dead_letters(topic, group) for group, topics in INPUTS.items() for topic in topics)
