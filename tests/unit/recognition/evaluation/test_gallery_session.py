"""Queries meet a fixed gallery, and nothing else; what they may find is counted right."""

from collections.abc import Sequence

import pytest
from google.protobuf.message import Message

from recognition.data.labelled_stream import LabelledCapture, LabelledStreamError
from recognition.evaluation.gallery_session import (
    EmbeddedSighting,
    GallerySession,
    QueryResult,
    embed,
)
from shared.errors import Poison
from shared.messages import (
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    VIEWPOINT_UNSPECIFIED,
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
from shared.viewpoints import compatible


class System:
    """The three handlers in one: every enrolled sighting of a compatible side is a candidate."""

    def __init__(self) -> None:
        self.enrolled: list[Enrolment] = []
        self.matched: list[CandidateList] = []

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
            return [_sighting(message.capture_id, message.viewpoint)]
        if isinstance(message, Sighting):
            return [CandidateList(query=message, candidates=self._candidates(message))]
        if isinstance(message, CandidateList):
            if message.query.sighting_id == "unreadable":
                return Poison("the crop can't be read")
            self.matched.append(message)
            evidence = [Evidence(candidate=each) for each in message.candidates]
            return [Matches(query=message.query, evidence=evidence)]
        assert isinstance(message, Enrolment)
        self.enrolled.append(message)
        return []

    def _candidates(self, query: Sighting) -> list[Candidate]:
        return [
            Candidate(sighting_id=each.sighting_id)
            for each in self.enrolled
            if each.sighting_id != query.sighting_id and compatible(query.viewpoint, each.viewpoint)
        ]


def _sighting(name: str, view: Viewpoint = VIEWPOINT_UNSPECIFIED) -> Sighting:
    return Sighting(sighting_id=name, gallery="default/lion", viewpoint=view)


def _subject(
    name: str, identity: str, encounter: str = "", view: Viewpoint = VIEWPOINT_UNSPECIFIED
) -> EmbeddedSighting:
    return EmbeddedSighting(_sighting(name, view), identity, encounter, f"{name}.jpg")


def _gallery(system: System, *subjects: EmbeddedSighting) -> GallerySession:
    return GallerySession(subjects, system, system, workers=2)


def _found(asked: QueryResult) -> list[str]:
    return [item.candidate.sighting_id for item in asked.labelled.evidence]


def test_queries_are_asked_of_the_gallery_and_not_enrolled() -> None:
    system = System()
    gallery = _gallery(system, _subject("a", "leo"), _subject("b", "tia"))
    first, second = gallery.ask([_subject("c", "leo"), _subject("d", "new")])
    assert _found(first) == _found(second) == ["a", "b"]
    assert first.labelled.known
    assert not second.labelled.known
    assert list(first.labelled.labels()) == [True, False]
    assert [each.number for each in system.enrolled] == [1, 2]


def test_a_picture_that_comes_twice_is_enrolled_once_under_its_first_name() -> None:
    system = System()
    gallery = _gallery(system, _subject("a", "leo"), _subject("a", "tia"), _subject("b", "tia"))
    assert [each.sighting.sighting_id for each in gallery.subjects] == ["a", "b"]
    assert [each.number for each in system.enrolled] == [1, 2]
    assert len(gallery.of("tia")) == 1


def test_elsewhere_leaves_out_the_pictures_of_the_own_encounter() -> None:
    system = System()
    held = [_subject("a", "leo", "7"), _subject("b", "leo", "8"), _subject("c", "leo", "7")]
    gallery = _gallery(system, *held)
    [everywhere] = gallery.ask(held[:1])
    [elsewhere] = gallery.ask(held[:1], other_encounters=True)
    assert (_found(everywhere), everywhere.relevant) == (["b", "c"], 2)
    assert (_found(elsewhere), elsewhere.relevant) == (["b"], 1)


def test_without_encounters_nothing_is_left_out_but_the_picture_itself() -> None:
    held = [_subject("a", "leo"), _subject("b", "leo")]
    [asked] = _gallery(System(), *held).ask(held[:1], other_encounters=True)
    assert (_found(asked), asked.relevant) == (["b"], 1)


def test_the_other_flank_is_not_there_to_be_found() -> None:
    gallery = _gallery(System(), _subject("a", "leo", view=VIEWPOINT_LEFT))
    [asked] = gallery.ask([_subject("b", "leo", view=VIEWPOINT_RIGHT)])
    assert asked.relevant == 0
    assert not asked.labelled.known


def test_every_crop_is_prepared_once() -> None:
    system = System()
    gallery = _gallery(system, _subject("a", "leo"), _subject("b", "leo"))
    assert len(list(gallery.prepare([_subject("c", "leo")]))) == 3
    assert sorted(each.query.sighting_id for each in system.matched) == ["a", "b", "c"]


def test_a_refused_query_is_named_by_its_picture() -> None:
    gallery = _gallery(System(), _subject("a", "leo"))
    with pytest.raises(LabelledStreamError, match=r"unreadable\.jpg: .*can't be read"):
        list(gallery.ask([_subject("unreadable", "leo")]))


@pytest.mark.parametrize(
    ("whole", "seen"), [(True, VIEWPOINT_UNSPECIFIED), (False, VIEWPOINT_LEFT)]
)
def test_whole_leaves_viewpoints_out(whole: bool, seen: Viewpoint) -> None:
    capture = Capture(capture_id="a", inline=b"x", viewpoint=VIEWPOINT_LEFT)
    [subject] = embed([LabelledCapture(capture, ("leo",), "7")], System(), whole=whole)
    assert subject.sighting.viewpoint == seen
    assert (subject.identity, subject.encounter) == ("leo", "7")


def test_a_refused_picture_is_named() -> None:
    broken = LabelledCapture(Capture(capture_id="a"), ("leo",), source="lions/1.jpg")
    with pytest.raises(LabelledStreamError, match=r"lions/1\.jpg: the capture has no image"):
        list(embed([broken], System(), whole=True))


def test_a_picture_with_two_names_is_refused() -> None:
    capture = Capture(capture_id="a", inline=b"x")
    odd = LabelledCapture(capture, ("leo", "tia"), source="lions/2.jpg")
    with pytest.raises(LabelledStreamError, match=r"lions/2\.jpg is not one sighting"):
        list(embed([odd], System(), whole=True))
