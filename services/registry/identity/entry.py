"""Stored form of entries and enrolments, without the numbers that the ledger assigns.

A stored entry is `<enrolment number> <individual> <founded> …` and, after a line feed, the Decision
without its numbers and with `+0`, `+1`, … for individuals that it founds. Only this module combines
them, so every reading of an entry gives the same message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from google.protobuf.message import Message

from shared.messages import (
    OUTCOME_KNOWN,
    OUTCOME_NEW,
    OUTCOME_REVIEW,
    OUTCOME_UNIDENTIFIABLE,
    Decision,
    Enrolment,
    Outcome,
)

OutcomeName = Literal["known", "new", "review", "unidentifiable"]

OUTCOME_NAMES: dict[Outcome, OutcomeName] = {
    OUTCOME_KNOWN: "known",
    OUTCOME_NEW: "new",
    OUTCOME_REVIEW: "review",
    OUTCOME_UNIDENTIFIABLE: "unidentifiable",
}


@dataclass(frozen=True)
class Entry:
    """One decision of the ledger, and its enrolment, if any."""

    decision: Decision
    enrolment: Enrolment | None

    def messages(self) -> Sequence[Message]:
        """Return the messages to publish, in order."""
        return [self.decision] if self.enrolment is None else [self.decision, self.enrolment]


def read_entry(number: int, stored: bytes, enrolment: bytes | None, epoch: str) -> Entry:
    """Combine a stored entry, its stored enrolment and the gallery's epoch."""
    head, _, body = stored.partition(b"\n")
    enrolment_number, individual, *founded = head.decode().split(" ")
    decision = Decision.FromString(body)
    decision.number = number
    decision.epoch = epoch
    decision.enrolment_number = int(enrolment_number)
    decision.individual = individual
    names = {f"+{index}": name for index, name in enumerate(founded)}
    for change in (*decision.changes, *decision.operation.moved):
        change.into = names.get(change.into, change.into)
    if not enrolment:
        return Entry(decision, None)
    return Entry(decision, read_enrolment(decision.enrolment_number, enrolment, epoch))


def read_enrolment(number: int, stored: bytes, epoch: str) -> Enrolment:
    """Combine a stored enrolment, its number and its gallery's epoch."""
    message = Enrolment.FromString(stored)
    message.number = number
    message.epoch = epoch
    return message
