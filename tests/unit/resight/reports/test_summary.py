"""The numbers of a run, counted by hand."""

from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from catalogue.publishing.account import Account
from catalogue.publishing.captures import Published
from catalogue.reading.catalogue import Photograph
from resight.reports.summary import membership, rivals, summarise
from services.registry.identity.question import Question
from shared.messages import (
    OUTCOME_KNOWN,
    OUTCOME_NEW,
    OUTCOME_REVIEW,
    OUTCOME_UNIDENTIFIABLE,
    Decision,
    RankedIndividual,
)

# sighting: true identity, outcome, individual, ranked first, seconds until decided
RUN = {
    "a": ("leo", OUTCOME_NEW, "lion-1", None, 1),
    "b": ("leo", OUTCOME_KNOWN, "lion-1", "lion-1", 2),
    "c": ("ida", OUTCOME_KNOWN, "lion-1", "lion-1", 3),
    "d": ("leo", OUTCOME_REVIEW, "lion-2", "lion-1", 4),
}


def account(*, labelled: bool) -> Account:
    book = Account(began=10.0)
    for number, (key, (identity, outcome, individual, first, seconds)) in enumerate(RUN.items()):
        label = identity if labelled else ""
        book.publish(Published(Photograph(Path(f"{key}.jpg"), identities=(label,)), (key,)), 11.0)
        made = Decision(
            gallery="default/lion",
            number=number + 1,
            sighting_id=key,
            outcome=outcome,
            individual=individual,
            published_at=Timestamp(seconds=100),
            decided_at=Timestamp(seconds=100 + seconds),
            enrolment_number=number + 1,
            ranked=[RankedIndividual(individual=first)] if first else [],
        )
        book.decide(made, 12.0 + number)
    return book


def test_everything_is_counted_once() -> None:
    book = account(labelled=True)
    book.publish(Published(Photograph(Path("e.jpg"), identities=("leo",)), ("e",)), 11.0)
    book.lost["e"] = "truncated"
    summary = summarise(book)
    assert summary.captures == summary.sightings == 5
    assert summary.decisions == {"known": 2, "new": 1, "review": 1, "unidentifiable": 0}
    assert summary.dead_letters == 1
    assert summary.sightings == sum(summary.decisions.values()) + summary.dead_letters


def test_open_questions_are_counted_and_told_from_both_sides() -> None:
    book = account(labelled=False)
    assert summarise(book).questions == 0
    questions = [
        Question("lion-1", "lion-3", -1.5, "a", "e"),
        Question("lion-1", "lion-2", 0, "a", "d"),
        Question("lion-4", "lion-2", -2.5, "f", "d"),
    ]
    assert summarise(book, questions).questions == 3
    told = rivals(questions)
    assert told["lion-1"] == [("lion-2", 0.5), ("lion-3", pytest.approx(0.182, abs=1e-3))]
    assert told["lion-2"] == [("lion-1", 0.5)]
    assert "lion-4" not in told  # too unlikely


def test_what_shows_nothing_is_counted_by_itself() -> None:
    book = account(labelled=False)
    book.publish(Published(Photograph(Path("e.jpg"), identities=("",)), ("e",)), 11.0)
    book.decide(Decision(sighting_id="e", outcome=OUTCOME_UNIDENTIFIABLE), 20.0)
    assert summarise(book).unidentifiable == 1


def test_times_run_from_the_first_publish() -> None:
    summary = summarise(account(labelled=True))
    assert summary.seconds == 5.0
    assert summary.images_per_second == pytest.approx(0.8)
    assert summary.latency_seconds == {"p50": 2.5, "p95": 3.85}


def test_labels_say_how_right_it_was() -> None:
    summary = summarise(account(labelled=True))
    # Leo was enrolled when b and d came, both ranked his individual first.
    assert summary.r1 == 1.0
    # Under lion-1: a-b is a pair of one animal, a-c and b-c are not.
    assert summary.id_precision == pytest.approx(1 / 3, abs=1e-4)
    # Leo's pairs: a-b was found, a-d and b-d were not.
    assert summary.id_recall == pytest.approx(1 / 3, abs=1e-4)


def test_without_labels_nothing_is_claimed() -> None:
    summary = summarise(account(labelled=False))
    assert (summary.r1, summary.id_precision, summary.id_recall) == (None, None, None)


def test_a_run_without_any_decision_has_no_latency() -> None:
    summary = summarise(Account(began=0.0))
    assert summary.latency_seconds == {"p50": None, "p95": None}
    assert summary.images_per_second == 0.0


def test_a_sighting_counts_where_it_belongs_in_the_end() -> None:
    book = account(labelled=True)
    last = book.decisions["d"]
    last.changes.add(individual="lion-1", into="lion-2", sightings=["a", "b"])
    summary = summarise(book)
    assert membership(book) == {"a": "lion-2", "b": "lion-2", "c": "lion-1", "d": "lion-2"}
    assert (summary.individuals, summary.id_precision, summary.id_recall, summary.id_f1) == (
        *(2, 1.0, 1.0, 1.0),
    )
