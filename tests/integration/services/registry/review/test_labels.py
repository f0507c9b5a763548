"""What a catalogue says whose a sighting is holds, whoever comes first."""

import pytest

from services.registry.identity.entry import Entry
from services.registry.identity.view import Conflict
from services.registry.ledger.audit import check
from services.registry.ledger.ledger import Ledger
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.errors import Poison
from shared.messages import OUTCOME_NEW, Decision, Enrolment, Matches
from tests.integration.services.registry.review.test_reviewer import decide, individuals, reviewer
from tests.support.identities import CALIBRATION
from tests.support.queries import GALLERY, NOON, ledger_at, matches, sighting


def labelled(name: str, identity: str, image: str = "") -> Matches:
    query = sighting(name, image=image)
    query.identity, query.identified_by = identity, "ada"
    return matches(query)


def registry(ledger: Ledger) -> RegistryService:
    return RegistryService(ledger, CALIBRATION, RegistrySettings(), now=lambda: NOON)


def enrol(ledger: Ledger, *told: Matches) -> list[Decision]:
    """Enrol sightings and return the decision about each."""
    decisions = []
    for result in registry(ledger).handle(told):
        assert not isinstance(result, Poison), result.reason
        found = result[0]
        assert isinstance(found, Decision)
        decisions.append(found)
    return decisions


def test_sightings_of_one_name_are_one_individual_whatever_they_look_like(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    told = enrol(ledger, labelled("a", "Nala"), labelled("b", "Simba"), labelled("c", "Nala"))
    assert individuals(ledger) == [["a", "c"], ["b"]]
    assert [each.identity for each in told] == ["Nala", "Simba", "Nala"]
    assert {each.actor for each in told} == {"import: ada"}
    assert all(each.enrolment_number for each in told)
    assert list(told[2].known_by) == ["a"]
    assert check(ledger, GALLERY) == []


def test_the_same_again_changes_nothing(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    first = enrol(ledger, labelled("a", "Nala"), labelled("b", "Nala"))
    assert enrol(ledger, labelled("a", "Nala"), labelled("b", "Nala")) == first
    assert ledger.count(GALLERY, "entries") == 2


def test_a_name_follows_its_animal_through_a_merge(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    enrol(ledger, labelled("a", "Nala"))
    decide(ledger, "x")
    decide(ledger, "y", alike="x")
    reviewer(ledger).same("1", "a", "x")
    enrol(ledger, labelled("b", "Nala"))
    assert individuals(ledger) == [["a", "b", "x", "y"]]


def test_a_sighting_that_was_decided_before_gets_its_name(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for name in "ab":
        decide(ledger, name)
    enrol(ledger, labelled("a", "Nala"), labelled("b", "Nala"))
    assert individuals(ledger) == [["a", "b"]]
    enrol(ledger, labelled("c", "Nala"))
    assert individuals(ledger) == [["a", "b", "c"]]
    assert check(ledger, GALLERY) == []


def test_two_that_were_taken_for_one_are_parted_by_their_names(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a")
    decide(ledger, "b", alike="a")
    assert individuals(ledger) == [["a", "b"]]
    again = (labelled("a", "Nala"), labelled("b", "Simba"))
    enrol(ledger, *again)
    assert individuals(ledger) == [["a"], ["b"]]
    entries = ledger.count(GALLERY, "entries")
    enrol(ledger, *again)
    assert ledger.count(GALLERY, "entries") == entries


def test_one_animal_twice_in_one_picture_is_refused(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    enrol(ledger, labelled("a", "Nala", image="one"))
    [refused] = registry(ledger).handle([labelled("b", "Nala", image="one")])
    assert isinstance(refused, Poison)
    assert (refused.kind, "shows that animal already" in refused.reason) == (
        "identity-conflict",
        True,
    )


@pytest.mark.parametrize("same", [True, False])
def test_what_comes_later_without_a_name_is_compared_with_it(ledger_url: str, same: bool) -> None:
    ledger = ledger_at(ledger_url)
    enrol(ledger, labelled("a", "Nala"), labelled("b", "Simba"))
    decide(ledger, "c", alike="a" if same else "")
    assert individuals(ledger) == ([["a", "c"], ["b"]] if same else [["a"], ["b"], ["c"]])


def test_two_replicas_that_look_at_once_found_one_individual_for_a_name(ledger_url: str) -> None:
    """The second one has to look again: else one animal would be founded twice."""
    ledger = ledger_at(ledger_url)

    def founding(name: str) -> object:
        decision = Decision(
            gallery=GALLERY, sighting_id=name, individual="+0", outcome=OUTCOME_NEW, identity="Nala"
        )
        return ledger.decide(decision, Enrolment(gallery=GALLERY, sighting_id=name), None)

    assert isinstance(founding("a"), Entry)
    assert founding("b") == Conflict()
    assert individuals(ledger) == [["a"]]
