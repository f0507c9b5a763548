"""Turns the broker's receipts into acknowledged entries, and records to verify later."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.messages import Decision, Enrolment
from shared.records import Receipt


@dataclass(frozen=True, order=True)
class Proof:
    """An acknowledged record of a gallery: its offset, and its message's number.

    The first record of a partition shows that the broker is still the same, even if one that lost
    everything has filled up again; the last one that nothing was cut off.
    """

    topic: str
    partition: int
    offset: int
    number: int


@dataclass(frozen=True)
class Acknowledgement:
    """Entries of one gallery that the broker has completely.

    `proofs`: the first and the last record of each partition, by offset.
    """

    entries: Sequence[int]
    proofs: Sequence[Proof]


@dataclass(frozen=True)
class Position:
    """A partition's content at a recorded offset.

    Offsets run from `beginning` to before `end`; `message` is the one at the offset, None if there
    is none. A missing partition has end 0.
    """

    beginning: int
    end: int
    message: Decision | Enrolment | None


def acknowledgements(receipts: Iterable[Receipt]) -> Mapping[str, Acknowledgement]:
    """Return, for each gallery, what a batch of receipts acknowledges.

    An entry is complete when its decision and, if any, its enrolment are among the receipts;
    incomplete ones stay in the outbox.
    """
    decisions: dict[str, list[Decision]] = defaultdict(list)
    enrolled: dict[str, set[int]] = defaultdict(set)
    taken: dict[str, dict[tuple[str, int], list[Proof]]] = defaultdict(lambda: defaultdict(list))
    for receipt in receipts:
        message = receipt.message
        if isinstance(message, Decision):
            decisions[message.gallery].append(message)
        elif isinstance(message, Enrolment):
            enrolled[message.gallery].add(message.number)
        else:
            continue
        proof = Proof(receipt.topic, receipt.partition, receipt.offset, message.number)
        taken[message.gallery][receipt.topic, receipt.partition].append(proof)
    return {
        gallery: Acknowledgement(
            entries=[
                decision.number
                for decision in decisions[gallery]
                if decision.enrolment_number in enrolled[gallery] | {0}
            ],
            proofs=sorted(
                {end for proofs in places.values() for end in (min(proofs), max(proofs))}
            ),
        )
        for gallery, places in taken.items()
    }


def holds(proof: Proof, gallery: str, found: Position) -> bool:
    """Return whether the broker still holds the record.

    A record removed by retention counts as held: its offset is before the beginning. One beyond the
    end, or another message in its place, shows that records were lost.
    """
    if proof.offset < found.beginning:
        return found.end > proof.offset
    message = found.message
    return message is not None and (message.gallery, message.number) == (gallery, proof.number)
