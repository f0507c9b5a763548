"""A question is weighed like any other sighting, and leaves the ledger as it was."""

from services.registry.ledger.ledger import Ledger
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.errors import Poison
from shared.messages import OUTCOME_KNOWN, OUTCOME_NEW, Answer, Matches
from tests.integration.services.registry.review.test_reviewer import decide
from tests.support.identities import CALIBRATION, found
from tests.support.queries import GALLERY, NOON, ledger_at, matches, sighting


def asked(ledger: Ledger, told: Matches) -> Answer:
    told.query.question = "who"
    service = RegistryService(ledger, CALIBRATION, RegistrySettings(), now=lambda: NOON)
    [result] = service.handle([told])
    assert not isinstance(result, Poison)
    [answer] = result
    assert isinstance(answer, Answer)
    assert answer.question == "who"
    return answer


def test_a_known_animal_is_named_and_a_new_one_is_not(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a")
    decide(ledger, "b")
    evidence = [found("a", 1, "same"), found("b", 2)]
    answer = asked(ledger, matches(sighting("x"), evidence, watermark=2))
    assert (answer.outcome, answer.individual) == (OUTCOME_KNOWN, "plains-zebra-0001")
    assert answer.ranked[0].individual == "plains-zebra-0001"
    stranger = asked(ledger, matches(sighting("y"), [found("a", 1), found("b", 2)], watermark=2))
    assert (stranger.outcome, stranger.individual) == (OUTCOME_NEW, "")
    assert ledger.count(GALLERY, "entries") == 2
    assert ledger.members(GALLERY).keys() == {"a", "b"}


def test_a_picture_that_is_enrolled_belongs_to_whom_it_belongs(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a")
    answer = asked(ledger, matches(sighting("a"), [], watermark=1))
    assert (answer.outcome, answer.individual) == (OUTCOME_KNOWN, "plains-zebra-0001")


def test_a_question_makes_no_gallery(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    asked(ledger, matches(sighting("x", gallery="default/lion")))
    assert ledger.galleries() == []
