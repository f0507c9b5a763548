"""What receipts prove, and whether a proof still holds."""

import pytest

from services.registry.ledger.receipts import (
    Acknowledgement,
    Position,
    Proof,
    acknowledgements,
    holds,
)
from shared.messages import CandidateList, Decision, Enrolment
from shared.records import Receipt

GALLERY = "default/nyala"
PROOF = Proof("decisions", 0, offset=10, number=7)


def _decision(number: int, enrolment: int = 0, gallery: str = GALLERY) -> Decision:
    return Decision(gallery=gallery, number=number, enrolment_number=enrolment)


def test_an_entry_is_whole_with_its_enrolment() -> None:
    receipts = [
        Receipt(_decision(1, enrolment=1), "decisions", 0, 4),
        Receipt(Enrolment(gallery=GALLERY, number=1), "enrolments", 0, 2),
        Receipt(_decision(2), "decisions", 0, 5),
        Receipt(_decision(3, enrolment=2), "decisions", 1, 0),
        Receipt(CandidateList(), "candidates", 0, 9),
    ]
    assert acknowledgements(receipts) == {
        GALLERY: Acknowledgement(
            entries=[1, 2],
            proofs=[
                Proof("decisions", 0, 4, 1),
                Proof("decisions", 0, 5, 2),
                Proof("decisions", 1, 0, 3),
                Proof("enrolments", 0, 2, 1),
            ],
        )
    }


def test_galleries_are_apart() -> None:
    receipts = [
        Receipt(_decision(1, gallery="default/lion"), "decisions", 0, 0),
        Receipt(_decision(1), "decisions", 0, 1),
    ]
    found = acknowledgements(receipts)
    assert found["default/lion"].proofs == [Proof("decisions", 0, 0, 1)]
    assert found[GALLERY].proofs == [Proof("decisions", 0, 1, 1)]


def test_nothing_acknowledged_proves_nothing() -> None:
    assert acknowledgements([]) == {}


@pytest.mark.parametrize(
    ("found", "held"),
    [
        (Position(0, 20, _decision(7)), True),
        (Position(0, 20, _decision(8)), False),
        (Position(0, 20, _decision(7, gallery="default/lion")), False),
        (Position(0, 20, None), False),
        (Position(0, 10, None), False),
        (Position(0, 0, None), False),
        (Position(11, 20, None), True),
        (Position(11, 11, None), True),
    ],
    ids=[
        "there",
        "another number",
        "another gallery",
        "unreadable",
        "beyond the end",
        "no partition",
        "expired",
        "all expired",
    ],
)
def test_a_proof_holds_while_its_record_is_there_or_expired(found: Position, held: bool) -> None:
    assert holds(PROOF, GALLERY, found) is held
