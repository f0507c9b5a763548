"""Sightings replayed through a registry, and the score of what came of them."""

from collections.abc import Sequence
from dataclasses import astuple

import pytest
from google.protobuf.message import Message

from recognition.data.labelled_stream import LabelledCapture, LabelledStreamError, MatchedSighting
from recognition.replay.stream import Replayed, labels, replay_sightings, score
from shared.errors import Poison
from shared.messages import (
    OUTCOME_KNOWN,
    OUTCOME_NEW,
    OUTCOME_REVIEW,
    OUTCOME_UNIDENTIFIABLE,
    VIEWPOINT_FRONT,
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    VIEWPOINT_UNSPECIFIED,
    CandidateList,
    Capture,
    Change,
    Decision,
    Matches,
    Outcome,
    Sighting,
    Viewpoint,
)
from shared.records import Receipt, Result


def decided(
    name: str,
    identity: str,
    individual: str,
    outcome: Outcome,
    *changes: Change,
    viewpoint: Viewpoint = VIEWPOINT_LEFT,
) -> Replayed:
    """A decision, and whose sighting it was about."""
    decision = Decision(
        gallery="default/lion",
        sighting_id=name,
        individual=individual,
        outcome=outcome,
        viewpoint=viewpoint,
        enrolment_number=1 if individual else 0,
        changes=changes,
    )
    return Replayed(decision, identity)


STREAM = [
    decided("a", "leo", "lion-1", OUTCOME_NEW),
    decided("b", "leo", "lion-2", OUTCOME_REVIEW),
    decided("c", "ida", "lion-1", OUTCOME_KNOWN),
    decided("blank", "ida", "", OUTCOME_UNIDENTIFIABLE),
    decided("d", "leo", "lion-2", OUTCOME_KNOWN, Change(individual="lion-1", into="lion-2",
                                                         sightings=["a"])),
]  # fmt: skip


def test_the_score_is_about_the_end() -> None:
    found = score(STREAM)
    assert found.decisions == {"known": 2, "new": 1, "review": 1, "unidentifiable": 1}
    # In the end lion-2 has a, b and d, all of them Leo; c is alone, the blank one too.
    assert astuple(found.pairs) == pytest.approx((1.0, 3 / 4, 6 / 7))
    assert found.bcubed.precision == 1.0
    assert found.bcubed.recall == pytest.approx((3 + 0.5 + 0.5) / 5)
    assert (found.individuals, found.individuals_true) == (2, 2)
    assert (found.merges, found.splits) == (0, 1)


def test_first_sightings_that_are_called_known_are_false() -> None:
    # Leo's first was new, Ida's was called known.
    assert score(STREAM).false_known == 0.5


def test_a_perfect_grouping_has_an_adjusted_rand_index_of_1() -> None:
    right = [
        decided("a", "leo", "lion-1", OUTCOME_NEW),
        decided("b", "leo", "lion-1", OUTCOME_KNOWN),
        decided("c", "ida", "lion-2", OUTCOME_NEW),
    ]
    assert score(right).ari == 1.0
    worse = score(STREAM).ari
    assert worse is not None
    assert worse < 1


def test_without_labels_nothing_is_claimed() -> None:
    found = score([decided("a", "", "lion-1", OUTCOME_NEW)])
    assert (found.pairs.f1, found.bcubed.f1, found.ari, found.false_known) == (None,) * 4


def test_flanks_are_animals_of_their_own_where_both_were_seen() -> None:
    views = (VIEWPOINT_LEFT, VIEWPOINT_RIGHT, VIEWPOINT_UNSPECIFIED)
    both = [decided(str(view), "leo", "lion-1", OUTCOME_NEW, viewpoint=view) for view in views]
    one = [
        decided(str(view), "ida", "lion-2", OUTCOME_NEW, viewpoint=view)
        for view in (VIEWPOINT_LEFT, VIEWPOINT_FRONT)
    ]
    assert labels([*both, *one]) == ["leo left", "leo right", "leo", "ida left", "ida left"]


class Registry:
    """A handler that answers every message with the same result."""

    def __init__(self, answer: Result) -> None:
        self._answer = answer

    def handle(self, messages: Sequence[Message]) -> Sequence[Result]:
        return [self._answer for _ in messages]

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        raise AssertionError(f"nothing was published: {receipts}")

    def ready(self) -> bool:
        return True


SEEN = MatchedSighting(LabelledCapture(Capture(), ("leo",)), "leo", Matches(query=Sighting()), 1)


def test_each_sighting_is_replayed_with_its_identity() -> None:
    decision = Decision(individual="lion-1")
    assert list(replay_sightings([SEEN], Registry([decision]))) == [Replayed(decision, "leo")]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Poison("the evidence is broken"), "the evidence is broken"),
        ([CandidateList()], "another registry"),
    ],
)
def test_a_sighting_that_is_not_decided_ends_it(answer: Result, message: str) -> None:
    with pytest.raises(LabelledStreamError, match=message):
        list(replay_sightings([SEEN], Registry(answer)))
