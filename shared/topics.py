"""Topics: which message travels on which, and under which key."""

from dataclasses import dataclass

from google.protobuf.message import Message

from shared.messages import CandidateList, Capture, Decision, Enrolment, Matches, Sighting

CAPTURES = "resight.captures.v1"
SIGHTINGS = "resight.sightings.v1"
CANDIDATES = "resight.candidates.v1"
MATCHES = "resight.matches.v1"
DECISIONS = "resight.decisions.v1"
ENROLMENTS = "resight.enrolments.v1"

_DEAD_LETTERS = ".dlq"

ALL = (CAPTURES, SIGHTINGS, CANDIDATES, MATCHES, DECISIONS, ENROLMENTS)

# Consumer group (one per service) -> the topics it reads.
INPUTS = {
    "embedder": (CAPTURES,),
    "lookup": (SIGHTINGS, ENROLMENTS),
    "matcher": (CANDIDATES,),
    "registry": (MATCHES,),
}


@dataclass(frozen=True)
class Address:
    """Where a message goes: the topic, and the key that keeps its order."""

    topic: str
    key: str


def address(message: Message) -> Address:
    """Return the topic and key of any message of this system.

    Raises:
        TypeError: the message has no topic of its own.
    """
    if isinstance(message, Capture):
        return Address(CAPTURES, message.deployment)
    if isinstance(message, Sighting):
        return Address(SIGHTINGS, message.deployment)
    if isinstance(message, CandidateList):
        return Address(CANDIDATES, message.query.deployment)
    if isinstance(message, Matches):
        return Address(MATCHES, message.query.deployment)
    if isinstance(message, Decision):
        return Address(DECISIONS, message.deployment)
    if isinstance(message, Enrolment):
        return Address(ENROLMENTS, message.gallery)
    raise TypeError(f"no topic carries {type(message).__name__}")


def dead_letters(topic: str, group: str) -> str:
    """Return the dead-letter topic of one consumer group on one topic."""
    return f"{topic}.{group}{_DEAD_LETTERS}"


def is_dead_letters(topic: str) -> bool:
    """Return whether a topic is one of dead letters."""
    return topic.endswith(_DEAD_LETTERS)


def dead_letter_topics() -> tuple[str, ...]:
    """Return the dead-letter topics of every service."""
    return tuple(dead_letters(topic, group) for group, topics in INPUTS.items() for topic in topics)
