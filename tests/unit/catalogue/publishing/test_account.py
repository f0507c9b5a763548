"""Every published sighting is accounted for once, whatever is heard how often."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from catalogue.publishing.account import Account
from catalogue.publishing.captures import Published, capture, sightings
from catalogue.reading.catalogue import Photograph
from shared.kafka import topics
from shared.messages import OUTCOME_NEW, Animal, Box, Candidate, CandidateList, Decision, Sighting
from shared.stage.dead_letters import DeadLetter

IMAGE = b"a picture"
BOXES = (Box(x=0, y=0, width=0.5, height=1), Box(x=0.5, y=0, width=0.5, height=1))
PHOTOGRAPH = Photograph(
    Path("two.jpg"),
    animals=tuple(Animal(box=box) for box in BOXES),
    identities=("leo", "ida"),
)
CAPTURE = capture(PHOTOGRAPH, IMAGE, datetime(2026, 5, 4, tzinfo=UTC))
LEO, IDA = sightings(CAPTURE)


def account() -> Account:
    fresh = Account(began=0.0)
    fresh.publish(Published(PHOTOGRAPH, (LEO, IDA)), 1.0)
    return fresh


def letter(topic: str, value: bytes) -> DeadLetter:
    return DeadLetter(
        topic=topic,
        partition=0,
        offset=7,
        key=b"",
        value=value,
        headers={},
        group="embedder",
        reason="truncated",
        kind="truncated-image",
        sightings=2,
        attempt=1,
        time=datetime(2026, 5, 4, tzinfo=UTC),
    )


def decision(identifier: str) -> Decision:
    return Decision(sighting_id=identifier, outcome=OUTCOME_NEW, individual="lion-0001")


def test_what_was_published_is_missing_until_it_is_decided() -> None:
    book = account()
    assert book.missing == [LEO, IDA]
    book.decide(decision(LEO), 2.0)
    assert book.missing == [IDA]
    assert book.last_news == 2.0


def test_hearing_a_decision_again_changes_nothing() -> None:
    book = account()
    book.decide(decision(LEO), 2.0)
    book.decide(decision(LEO), 9.0)
    assert len(book.decisions) == 1
    assert book.last_news == 2.0


def test_decisions_about_others_are_not_counted() -> None:
    book = account()
    book.decide(decision("ab" * 32), 2.0)
    assert book.decisions == {}


def test_a_lost_capture_loses_all_its_animals() -> None:
    book = account()
    book.lose(letter(topics.CAPTURES, CAPTURE.SerializeToString()), 3.0)
    assert book.missing == []
    assert book.dead == {LEO: "truncated", IDA: "truncated"}


def test_a_message_lost_further_on_loses_one_sighting() -> None:
    query = Sighting(sighting_id=LEO)
    messages = {
        topics.SIGHTINGS: query.SerializeToString(),
        topics.CANDIDATES: CandidateList(
            query=query, candidates=[Candidate(sighting_id=IDA)]
        ).SerializeToString(),
        topics.MATCHES: CandidateList(query=query).SerializeToString(),
    }
    for topic, value in messages.items():
        book = account()
        book.lose(letter(topic, value), 3.0)
        assert list(book.dead) == [LEO], topic


def test_a_lost_enrolment_or_rubbish_loses_no_sighting() -> None:
    book = account()
    book.lose(letter(topics.ENROLMENTS, b""), 3.0)
    book.lose(letter(topics.CAPTURES, b"\xff\xff"), 3.0)
    assert book.missing == [LEO, IDA]


def test_a_sighting_that_is_decided_after_all_is_not_dead() -> None:
    book = account()
    book.lose(letter(topics.CAPTURES, CAPTURE.SerializeToString()), 3.0)
    book.decide(decision(LEO), 4.0)
    assert list(book.dead) == [IDA]
    assert len(book.published) == len(book.decisions) + len(book.dead)


def test_the_same_picture_published_twice_is_one_sighting() -> None:
    book = account()
    again = replace(PHOTOGRAPH, path=Path("copy.jpg"))
    book.publish(Published(again, (LEO, IDA)), 2.0)
    assert book.captures == 2
    assert len(book.published) == 2


def test_a_capture_tells_nobody_who_the_animals_are() -> None:
    value = CAPTURE.SerializeToString()
    assert b"leo" not in value
    assert b"ida" not in value
