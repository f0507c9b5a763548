"""Arrivals are compared with what came before them, and with nothing else."""

from collections.abc import Sequence

import pytest
from google.protobuf.message import Message

from recognition.data.labelled_stream import (
    LabelledCapture,
    LabelledStreamError,
    labelled_sightings,
    stream,
)
from shared.errors import Poison
from shared.messages import (
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    Candidate,
    CandidateList,
    Capture,
    Enrolment,
    Evidence,
    Matches,
    Sighting,
    Viewpoint,
)
from shared.records import Receipt, Result


class Everything:
    """The three handlers in one: every enrolled sighting is a candidate."""

    def __init__(self) -> None:
        self.enrolled: list[Enrolment] = []

    def handle(self, messages: Sequence[Message]) -> Sequence[Result]:
        return [self._result(message) for message in messages]

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        raise AssertionError(f"nothing was published: {receipts}")

    def ready(self) -> bool:
        return True

    def _result(self, message: Message) -> Result:
        if isinstance(message, Capture):
            if not message.inline:
                return Poison("the capture has no image; publish it again")
            view = message.viewpoint
            return [Sighting(sighting_id=message.capture_id, gallery="g", viewpoint=view)]
        if isinstance(message, Sighting):
            known = [Candidate(sighting_id=each.sighting_id) for each in self.enrolled]
            return [CandidateList(query=message, candidates=known)]
        if isinstance(message, CandidateList):
            evidence = [Evidence(candidate=each) for each in message.candidates]
            blank = "blank" if message.query.sighting_id.startswith("blank") else ""
            return [Matches(query=message.query, evidence=evidence, incomparable=blank)]
        assert isinstance(message, Enrolment)
        self.enrolled.append(message)
        return []


def _labelled(name: str, identity: str, view: Viewpoint = VIEWPOINT_LEFT) -> LabelledCapture:
    return LabelledCapture(Capture(capture_id=name, inline=b"x", viewpoint=view), (identity,))


def test_each_is_compared_with_those_before_it_and_then_enrolled() -> None:
    system = Everything()
    captures = [_labelled("a", "leo"), _labelled("b", "tia"), _labelled("c", "leo")]
    seen = [each for _, each in labelled_sightings(stream(captures, system, system, system))]
    assert [list(each.labels()) for each in seen] == [[], [False], [True, False]]
    assert [each.known for each in seen] == [False, False, True]
    assert [each.number for each in system.enrolled] == [1, 2, 3]


def test_the_other_flank_does_not_make_an_animal_known() -> None:
    system = Everything()
    captures = [_labelled("a", "leo"), _labelled("b", "leo", VIEWPOINT_RIGHT)]
    seen = [each for _, each in labelled_sightings(stream(captures, system, system, system))]
    assert [each.known for each in seen] == [False, False]


def test_an_identical_picture_arrives_once() -> None:
    system = Everything()
    captures = [_labelled("a", "leo"), _labelled("a", "leo")]
    assert len(list(labelled_sightings(stream(captures, system, system, system)))) == 1


def test_what_cant_be_compared_is_seen_but_not_enrolled_and_teaches_nothing() -> None:
    system = Everything()
    captures = [_labelled("blank", "leo"), _labelled("a", "leo"), _labelled("b", "leo")]
    seen = list(stream(captures, system, system, system))
    assert [each.number for each in seen] == [0, 1, 2]
    assert [each.matches.watermark for each in seen] == [0, 0, 1]
    assert [each.number for _, each in labelled_sightings(seen)] == [1, 2]
    assert [each.sighting_id for each in system.enrolled] == ["a", "b"]


def test_a_capture_that_is_refused_ends_it_with_the_reason() -> None:
    system = Everything()
    broken = LabelledCapture(Capture(capture_id="a"), ("leo",))
    with pytest.raises(LabelledStreamError, match="has no image"):
        list(stream([broken], system, system, system))


def test_identities_that_do_not_fit_the_sightings_are_refused() -> None:
    system = Everything()
    odd = LabelledCapture(Capture(capture_id="a", inline=b"x"), ("leo", "tia"))
    with pytest.raises(LabelledStreamError, match="2 identities"):
        list(stream([odd], system, system, system))
