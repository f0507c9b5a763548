"""Doubt does not keep a sighting out: later evidence joins, merges and parts individuals."""

import math

import pytest
from google.protobuf.message import Message

from services.registry.calibration.calibration import Calibration
from services.registry.identity.judge import MAX_SIGHTINGS, MAX_SIGHTINGS_OF_ONE
from services.registry.ledger.audit import check
from services.registry.ledger.ledger import Ledger
from services.registry.review.reviewer import Reviewer
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.errors import Poison
from shared.messages import (
    OUTCOME_KNOWN,
    OUTCOME_NEW,
    OUTCOME_REVIEW,
    Change,
    Decision,
    Matches,
    Sighting,
)
from tests.support.identities import CALIBRATION, CLUSTERING, found
from tests.support.queries import GALLERY, NOON, ledger_at, matches, sighting


def _registry(ledger: Ledger, calibration: Calibration = CALIBRATION) -> RegistryService:
    return RegistryService(ledger, calibration, RegistrySettings(), now=lambda: NOON)


def _decision(service: RegistryService, query: Matches) -> Decision:
    (result,) = service.handle([query])
    assert not isinstance(result, Poison), result
    message: Message = result[0]
    assert isinstance(message, Decision), message
    return message


def _zebra(number: int) -> str:
    return f"plains-zebra-{number:04d}"


def test_a_doubtful_sighting_joins_whom_the_pairs_speak_for(ledger_url: str) -> None:
    service = _registry(ledger_at(ledger_url))
    _decision(service, matches(sighting("a")))
    joined = _decision(service, matches(sighting("b"), [found("a", 1, "unsure")], watermark=1))
    assert (joined.outcome, joined.individual) == (OUTCOME_REVIEW, _zebra(1))
    assert joined.enrolment_number == 2


def test_a_sighting_that_nothing_joins_founds_an_individual(ledger_url: str) -> None:
    service = _registry(ledger_at(ledger_url))
    _decision(service, matches(sighting("a")))
    new = _decision(service, matches(sighting("b"), [found("a", 1)], watermark=1))
    assert (new.outcome, new.individual, list(new.changes)) == (OUTCOME_NEW, _zebra(2), [])


def test_who_is_known_is_kept_with_the_sighting_by_which_it_is(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    service = _registry(ledger)
    _decision(service, matches(sighting("a")))
    _decision(service, matches(sighting("b"), [found("a", 1, "unsure")], watermark=1))
    seen = [found("a", 1, "unsure"), found("b", 2, "same")]
    known = _decision(service, matches(sighting("c"), seen, watermark=2))
    assert known.outcome == OUTCOME_KNOWN
    kept = ledger.groups(GALLERY, [_zebra(1)], 10, 10)[_zebra(1)].sightings
    assert {each.sighting: each.anchors for each in kept} == {"a": (), "b": (), "c": ("b",)}
    assert list(known.known_by) == ["b"]


def _burst(name: str, sequence: str = "1", *, alone: bool = True) -> Sighting:
    query = sighting(name)
    query.sequence, query.alone = sequence, alone
    return query


def test_the_pictures_of_one_burst_are_one_animal(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    service = _registry(ledger)
    first = _decision(service, matches(_burst("a")))
    second = _decision(service, matches(_burst("b"), [found("a", 1)], watermark=1))
    assert (first.outcome, second.outcome) == (OUTCOME_NEW, OUTCOME_KNOWN)
    assert first.individual == second.individual == _zebra(1)
    assert list(second.known_by) == ["a"]
    for number, query in enumerate((_burst("c", "2"), _burst("d", alone=False)), 2):
        seen = [found("a", 1), found("b", 2)]
        other = _decision(service, matches(query, seen, watermark=number))
        assert other.outcome == OUTCOME_NEW


def test_a_late_picture_of_a_burst_shows_who_all_of_it_is(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    service = _registry(ledger)
    _decision(service, matches(sighting("a")))
    _decision(service, matches(_burst("b"), [found("a", 1)], watermark=1))
    seen = [found("a", 1, "same"), found("b", 2)]
    late = _decision(service, matches(_burst("c"), seen, watermark=2))
    assert (late.outcome, late.individual) == (OUTCOME_KNOWN, _zebra(1))
    assert ledger.individuals(GALLERY) == {_zebra(1): ["a", "b", "c"]}
    assert check(ledger, GALLERY) == []


def test_a_burst_that_is_known_to_be_two_animals_does_not_stop_the_registry(
    ledger_url: str,
) -> None:
    """Its first picture was taken with the animal that its second one is known to be."""
    ledger = ledger_at(ledger_url)
    service = _registry(ledger)
    _decision(service, matches(sighting("a", image="herd")))
    first = _burst("b")
    first.image_sha256 = "herd"
    _decision(service, matches(first, [found("a", 1)], watermark=1))
    seen = [found("a", 1, "same"), found("b", 2)]
    late = _decision(service, matches(_burst("c"), seen, watermark=2))
    assert (late.outcome, late.individual) == (OUTCOME_KNOWN, _zebra(1))
    assert ledger.individuals(GALLERY) == {_zebra(1): ["a", "c"], _zebra(2): ["b"]}


def test_a_picture_that_shows_two_to_be_one_merges_them(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    service = _registry(ledger)
    _decision(service, matches(sighting("a")))
    _decision(service, matches(sighting("b"), [found("a", 1)], watermark=1))
    _decision(
        service,
        matches(sighting("c"), [found("a", 1, "same"), found("b", 2)], watermark=2),
    )
    bridge = [found(name, number, "same") for number, name in enumerate("abc", 1)]
    merged = _decision(service, matches(sighting("d"), bridge, watermark=3))
    assert merged.individual == _zebra(1)
    assert list(merged.changes) == []  # one bridge: a-b and b-c still speak against it
    bridge = [found(name, number, "same") for number, name in enumerate("abcd", 1)]
    again = _decision(service, matches(sighting("e"), bridge, watermark=4))
    assert list(again.changes) == [Change(individual=_zebra(2), into=_zebra(1))]
    assert ledger.individuals(GALLERY) == {_zebra(1): ["a", "b", "c", "d", "e"]}
    assert check(ledger, GALLERY) == []


def test_what_is_left_open_is_a_question_until_it_is_answered(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    service = _registry(ledger)
    _decision(service, matches(sighting("a")))
    # Log-odds of 0.2: too little to be joined, and worth asking.
    seen = found("a", 1, "doubtful")
    _decision(service, matches(sighting("b"), [seen], watermark=1))
    _decision(service, matches(sighting("c"), watermark=2))
    [question] = ledger.questions(GALLERY)
    assert (question.one, question.other) == (_zebra(1), _zebra(2))
    assert {question.sighting_of_one, question.sighting_of_other} == {"a", "b"}
    assert question.log_odds == pytest.approx(2 * math.log(3) - 2, abs=1e-2)
    person = Reviewer(ledger, CALIBRATION, GALLERY, "ada")
    person.different("1", question.sighting_of_one, question.sighting_of_other)
    assert ledger.questions(GALLERY) == []
    # A later picture does not open it again.
    both = [found("a", 1, "unsure"), found("b", 2, "unsure")]
    _decision(service, matches(sighting("d"), both, watermark=3))
    members = ledger.members(GALLERY)
    assert members["a"] != members["b"]
    assert all({"a", "b"} != {each.sighting_of_one, each.sighting_of_other}
               for each in ledger.questions(GALLERY))  # fmt: skip


def test_a_species_whose_evidence_is_too_weak_joins_only_who_is_known(ledger_url: str) -> None:
    never = CLUSTERING.model_copy(update={"never": ("plains-zebra",)})
    calibration = CALIBRATION.model_copy(update={"clustering": never})
    service = _registry(ledger_at(ledger_url), calibration)
    _decision(service, matches(sighting("a")))
    question = _decision(service, matches(sighting("b"), [found("a", 1, "unsure")], watermark=1))
    assert (question.outcome, question.individual) == (OUTCOME_REVIEW, _zebra(2))
    seen = [found("a", 1, "same"), found("b", 2)]
    known = _decision(service, matches(sighting("c"), seen, watermark=2))
    assert (known.outcome, known.individual) == (OUTCOME_KNOWN, _zebra(1))


def test_two_animals_of_one_image_stay_two_though_a_picture_speaks_for_both(
    ledger_url: str,
) -> None:
    ledger = ledger_at(ledger_url)
    service = _registry(ledger)
    _decision(service, matches(sighting("a", image="herd")))
    herd = [found("a", 1, "same")]
    _decision(service, matches(sighting("b", image="herd"), herd, watermark=1))
    for number, name in enumerate("cdef", 3):
        both = [found("a", 1, "same"), found("b", 2, "same")]
        _decision(service, matches(sighting(name), both, watermark=number - 1))
    members = ledger.members(GALLERY)
    assert members["a"] != members["b"]
    assert check(ledger, GALLERY) == []


def test_two_animals_of_one_image_stay_two_where_their_pictures_are_not_looked_at(
    ledger_url: str,
) -> None:
    """Of a large individual only the latest pictures are clustered; the herd's are the first."""
    ledger = ledger_at(ledger_url)
    service = _registry(ledger)
    _decision(service, matches(sighting("a", image="herd")))
    _decision(service, matches(sighting("b", image="herd"), [found("a", 1)], watermark=1))
    number = 2
    for name, first in (("a", 1), ("b", 2)):
        for index in range(MAX_SIGHTINGS_OF_ONE):
            seen = [found(name, first, "same")]
            _decision(service, matches(sighting(f"{name}{index}"), seen, watermark=number))
            number += 1
    latest = {name: sighting_id for sighting_id, name in ledger.members(GALLERY).items()}
    assert len(latest) == 2
    most = MAX_SIGHTINGS_OF_ONE
    both = [found(f"{name}{most - 1}", 2 + most * at, "same") for at, name in enumerate("ab", 1)]
    asked = _decision(service, matches(sighting("both"), both, watermark=number))
    assert list(asked.changes) == []
    members = ledger.members(GALLERY)
    assert members["a"] != members["b"]
    assert check(ledger, GALLERY) == []


@pytest.mark.parametrize("others", [3, MAX_SIGHTINGS + 20])
def test_a_decision_looks_at_so_many_sightings_at_most(ledger_url: str, others: int) -> None:
    ledger = ledger_at(ledger_url)
    service = _registry(ledger)
    for number in range(others):
        _decision(service, matches(sighting(f"s{number}"), watermark=number))
    seen = [found(f"s{number}", number + 1, "unsure") for number in range(others)]
    joined = _decision(service, matches(sighting("q"), seen, watermark=others))
    assert joined.outcome == OUTCOME_REVIEW
    assert check(ledger, GALLERY) == []
