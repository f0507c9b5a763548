"""Two registries, two pictures of one unknown animal, at the same moment: one individual."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from google.protobuf.message import Message

from services.registry.ledger.audit import check
from services.registry.service import RegistryService
from shared.errors import Poison
from shared.messages import (
    OUTCOME_KNOWN,
    OUTCOME_NEW,
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    CandidateList,
    Decision,
    Enrolment,
    Matches,
    ModelReference,
    Sighting,
)
from tests.support.queries import (
    GALLERY,
    NOON,
    evidence,
    ledger_at,
    matched,
    matches,
    registry,
    sighting,
    unwatched_library,
)

ANIMAL = ("first", "second")


class _Meeting:
    """A clock that two threads read between looking and deciding: there they meet once."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2, timeout=10)
        self._arrived = threading.local()

    def __call__(self) -> datetime:
        if not getattr(self._arrived, "once", False):
            self._arrived.once = True
            self._barrier.wait()
        return NOON


def _only(service: RegistryService, query: Matches) -> list[Message]:
    (result,) = service.handle([query])
    assert not isinstance(result, Poison), result
    return list(result)


def _at_once(
    url: str, first: Sighting, second: Sighting, source: str | None = None
) -> list[list[Message]]:
    """Let two registries, each with its own connection, decide about one query each."""
    clock = _Meeting()
    services = [registry(ledger_at(url, source), now=clock) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(_only, services, [matches(first), matches(second)]))


def _list_of(result: list[Message]) -> CandidateList:
    (message,) = result
    assert isinstance(message, CandidateList)
    return message


def _decision_of(result: list[Message]) -> Decision:
    assert isinstance(result[0], Decision)
    return result[0]


def _ends_as_one_individual(url: str, candidates: CandidateList) -> None:
    ledger = ledger_at(url)
    (first,) = candidates.candidates
    result = _only(registry(ledger), matched(candidates, same=ANIMAL))
    decision = _decision_of(result)
    assert decision.outcome == OUTCOME_KNOWN
    assert decision.passes == 2
    assert decision.ranked[0].best.candidate.sighting_id == first.sighting_id
    assert list(ledger.individuals(GALLERY)) == ["plains-zebra-0001"]
    assert set(ledger.individuals(GALLERY)["plains-zebra-0001"]) == set(ANIMAL)
    assert check(ledger, GALLERY) == []


def test_the_second_mint_gets_a_candidate_list_with_the_first(ledger_url: str) -> None:
    one, other = registry(ledger_at(ledger_url)), registry(ledger_at(ledger_url))
    decision, enrolment = _only(one, matches(sighting("first")))
    assert isinstance(decision, Decision)
    assert isinstance(enrolment, Enrolment)
    assert decision.outcome == OUTCOME_NEW

    second = _list_of(_only(other, matches(sighting("second"))))
    assert second.query == sighting("second")
    assert second.watermark == 1
    assert second.pass_number == 2
    (candidate,) = second.candidates
    assert candidate.sighting_id == "first"
    assert candidate.enrolment_number == 1
    assert candidate.crop == sighting("first").crop
    _ends_as_one_individual(ledger_url, second)


@pytest.mark.parametrize("attempt", range(5))
def test_of_two_mints_at_the_same_moment_exactly_one_succeeds(
    ledger_url: str, attempt: int
) -> None:
    del attempt  # which of the two is first differs from time to time
    results = _at_once(ledger_url, sighting("first"), sighting("second"))
    minted = [result for result in results if isinstance(result[0], Decision)]
    sent_on = [result for result in results if isinstance(result[0], CandidateList)]
    assert (len(minted), len(sent_on)) == (1, 1)
    _ends_as_one_individual(ledger_url, _list_of(sent_on[0]))


def test_without_the_watermark_check_one_animal_becomes_two(ledger_url: str) -> None:
    results = _at_once(ledger_url, sighting("first"), sighting("second"), unwatched_library())
    assert [_decision_of(result).outcome for result in results] == [OUTCOME_NEW, OUTCOME_NEW]
    names = list(ledger_at(ledger_url).individuals(GALLERY))
    assert names == ["plains-zebra-0001", "plains-zebra-0002"]


def test_in_one_batch_the_second_is_sent_on_too(ledger_url: str) -> None:
    service = registry(ledger_at(ledger_url))
    first, second = service.handle([matches(sighting(name)) for name in ANIMAL])
    assert not isinstance(first, Poison)
    assert isinstance(first[0], Decision)
    assert not isinstance(second, Poison)
    _ends_as_one_individual(ledger_url, _list_of(list(second)))


@pytest.mark.parametrize(
    "second",
    [
        sighting("second", viewpoint=VIEWPOINT_RIGHT),
        sighting("second", viewpoint=VIEWPOINT_LEFT, image="one picture"),
        sighting("second", model=ModelReference(name="other")),
    ],
    ids=["opposite flank", "same picture", "other model"],
)
def test_what_can_not_be_compared_does_not_delay_a_mint(ledger_url: str, second: Sighting) -> None:
    service = registry(ledger_at(ledger_url))
    first = sighting("first", viewpoint=VIEWPOINT_LEFT, image="one picture")
    _only(service, matches(first))
    decision = _decision_of(_only(service, matches(second)))
    assert decision.outcome == OUTCOME_NEW
    assert decision.individual == "plains-zebra-0002"


def test_what_the_lookup_found_past_its_watermark_is_not_compared_again(ledger_url: str) -> None:
    service = registry(ledger_at(ledger_url))
    _only(service, matches(sighting("first")))
    query = matches(sighting("second"), [evidence("first", same=False)], watermark=0)
    assert _decision_of(_only(service, query)).individual == "plains-zebra-0002"


def test_a_watermark_beyond_the_ledger_is_not_believed(ledger_url: str) -> None:
    service = registry(ledger_at(ledger_url))
    _only(service, matches(sighting("first")))
    sent_on = _list_of(_only(service, matches(sighting("second"), watermark=99)))
    assert [item.sighting_id for item in sent_on.candidates] == ["first"]
    assert sent_on.watermark == 1


def test_a_mint_at_the_newest_watermark_needs_no_second_pass(ledger_url: str) -> None:
    service = registry(ledger_at(ledger_url))
    _only(service, matches(sighting("first")))
    decision = _decision_of(_only(service, matches(sighting("second"), watermark=1)))
    assert decision.individual == "plains-zebra-0002"
    assert decision.passes == 1
