"""A new individual that others keep overtaking gets the gallery for itself, for a while."""

import time
from collections.abc import Callable

import pytest

from services.registry.ledger.audit import check
from services.registry.ledger.ledger import Ledger
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.errors import Poison
from shared.messages import (
    OUTCOME_KNOWN,
    OUTCOME_NEW,
    OUTCOME_REVIEW,
    CandidateList,
    Decision,
    Matches,
    Outcome,
)
from tests.support.queries import (
    CURVES,
    GALLERY,
    evidence,
    ledger_at,
    matched,
    matches,
    registry,
    sighting,
    unsure,
)


def _next(service: RegistryService, query: Matches) -> Decision | CandidateList:
    (result,) = service.handle([query])
    assert not isinstance(result, Poison), result
    message = result[0]
    assert isinstance(message, Decision | CandidateList)
    return message


def _overtaken(service: RegistryService, ledger: Ledger, passes: int) -> CandidateList:
    """Send "slow" round `passes` times; each time another animal is minted before it."""
    sent_on = CandidateList(query=sighting("slow"))
    for number in range(passes):
        newest = ledger.count(GALLERY, "enrolments")
        ahead = _next(service, matches(sighting(f"other {number}"), watermark=newest))
        assert isinstance(ahead, Decision)
        answer = _next(service, matched(sent_on))
        assert isinstance(answer, CandidateList)
        sent_on = answer
    return sent_on


def _attempt(service: RegistryService, ledger: Ledger, name: str) -> Decision | CandidateList:
    """Let a sighting that was compared with everything try to become a new individual."""
    newest = ledger.count(GALLERY, "enrolments")
    return _next(service, matches(sighting(name), watermark=newest))


def test_the_third_refusal_takes_a_lease_that_ends_with_the_mint(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    service = registry(ledger)
    slow = _overtaken(service, ledger, passes=3)
    assert slow.pass_number == 4

    waiting = _attempt(service, ledger, "late")
    assert isinstance(waiting, CandidateList)
    assert list(waiting.candidates) == []

    decision = _next(service, matched(slow))
    assert isinstance(decision, Decision)
    assert decision.outcome == OUTCOME_NEW
    assert decision.passes == 4

    compared = _next(service, matched(waiting))
    assert isinstance(compared, CandidateList)
    assert [item.sighting_id for item in compared.candidates] == ["slow"]
    assert isinstance(_next(service, matched(compared)), Decision)
    assert check(ledger, GALLERY) == []


def test_two_refusals_take_no_lease(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    service = registry(ledger)
    _overtaken(service, ledger, passes=2)
    assert isinstance(_attempt(service, ledger, "late"), Decision)


def test_known_animals_go_on_and_do_not_refuse_the_holder(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    service = registry(ledger)
    slow = _overtaken(service, ledger, passes=3)
    known = matches(sighting("seen again"), [evidence("other 0", same=True)])
    known.watermark = ledger.count(GALLERY, "enrolments")
    again = _next(service, known)
    assert isinstance(again, Decision)
    assert again.enrolment_number > slow.watermark
    assert isinstance(_next(service, matched(slow)), Decision)
    assert check(ledger, GALLERY) == []


def _as_known(slow: CandidateList) -> Matches:
    return matched(slow, same={item.sighting_id for item in slow.candidates})


def _as_review(slow: CandidateList) -> Matches:
    query = matched(slow)
    query.evidence.append(unsure("other 0"))
    return query


@pytest.mark.parametrize(
    ("outcome", "ending"), [(OUTCOME_KNOWN, _as_known), (OUTCOME_REVIEW, _as_review)]
)
def test_the_lease_ends_with_any_decision_of_its_holder(
    ledger_url: str, outcome: Outcome, ending: Callable[[CandidateList], Matches]
) -> None:
    ledger = ledger_at(ledger_url)
    service = registry(ledger)
    slow = _overtaken(service, ledger, passes=3)
    decision = _next(service, ending(slow))
    assert isinstance(decision, Decision)
    assert decision.outcome == outcome
    assert isinstance(_attempt(service, ledger, "late"), Decision)


def test_a_holder_that_dies_delays_others_only_until_its_lease_expires(ledger_url: str) -> None:
    lease = 0.4
    ledger = ledger_at(ledger_url)
    service = registry(ledger, RegistrySettings(lease_seconds=lease))
    _overtaken(service, ledger, passes=3)  # and is never heard of again
    began = time.monotonic()

    rounds = 0
    answer = _attempt(service, ledger, "late")
    while isinstance(answer, CandidateList):
        rounds += 1
        assert time.monotonic() - began < 20 * lease
        answer = _next(service, matched(answer))
    waited = time.monotonic() - began

    assert answer.outcome == OUTCOME_NEW
    assert waited > lease / 2
    # Each round waited for a moment, so the lease was not spun on.
    assert rounds <= lease / RegistrySettings().leased_wait_seconds + 1
    assert check(ledger, GALLERY) == []


def test_a_batch_full_of_waiting_sightings_waits_once(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    _overtaken(registry(ledger), ledger, passes=3)
    pauses: list[float] = []
    settings = RegistrySettings(leased_wait_seconds=0.05)
    service = RegistryService(ledger, CURVES, settings, wait=pauses.append)
    newest = ledger.count(GALLERY, "enrolments")
    service.handle([matches(sighting(f"late {n}"), watermark=newest) for n in range(5)])
    assert pauses == [0.05]
