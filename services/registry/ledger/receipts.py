"""What the broker has taken: receipts → entries that are safe, and proofs to look up later."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.messages import Decision, Enrolment
from shared.records import Receipt


@dataclass(frozen=True, order=True)
class Proof:
    """A record of a gallery that a partition took: its offset, and its message's number.

    The first record of a partition shows that the broker is still the same, even
    after one that lost everything has filled up again; the last, that no end was cut off.
    """

    topic: str
    partition: int
    offset: int
    number: int


@dataclass(frozen=True)
class Acknowledgement:
    """Entries of one gallery that the broker has whole.

    `proofs`: the first and the last record that each partition took, by offset.
    """

    entries: Sequence[int]
    proofs: Sequence[Proof]


@dataclass(frozen=True)
class Position:
    """What a partition holds at the offset of a proof.

    Offsets run from `beginning` to before `end`; `message` is the one at the
    proof's offset, None where none is. A partition that is gone has end 0.
    """

    beginning: int
    end: int
    message: Decision | Enrolment | None


def acknowledgements(receipts: Iterable[Receipt]) -> Mapping[str, Acknowledgement]:
    """Return, for each gallery, what a batch of receipts proves.

    An entry is whole when its decision and, if it enrolled, its enrolment are
    among the receipts; one of which only a part is there stays in the outbox.
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
    """Return whether the broker still is the one that took the proof's record.

    A record that retention removed counts as taken: its offset lies before the
    beginning. One beyond the end, or another message in its place, shows that the
    records were lost.
    """
    if proof.offset < found.beginning:
        return found.end > proof.offset
    message = found.message
    return message is not None and (message.gallery, message.number) == (gallery, proof.number)
