"""What is decided about a query, from what the ledger knows; no ledger is needed for it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from services.registry.calibration.affinity import PAIR
from services.registry.identity.judge import (
    FOUNDED,
    MAX_SIGHTINGS_OF_ONE,
    Resolved,
    rank_query,
    resolve_query,
)
from services.registry.identity.view import NOTHING, Group, Recorded, View
from shared.messages import (
    OUTCOME_KNOWN,
    OUTCOME_REVIEW,
    OUTCOME_UNIDENTIFIABLE,
    Matches,
)
from tests.support.identities import CALIBRATION, CLUSTERING, by, found
from tests.support.queries import matches, sighting


def _view(members: Mapping[str, str]) -> View:
    return View(entry=None, taken=frozenset(), members=members, candidate_statistics={})


def _group(*sightings: tuple[str, int], count: int = 0) -> Group:
    recorded = [Recorded(name, number, f"image of {name}", NOTHING) for name, number in sightings]
    return Group("1", count or len(recorded), recorded)


def _settled(
    query: Matches, groups: Mapping[str, Group], *, taken: frozenset[str] = frozenset()
) -> Resolved:
    members = {each.sighting: name for name, group in groups.items() for each in group.sightings}
    ranked_query = rank_query(query, _view(members), CALIBRATION)
    return resolve_query(query, ranked_query, groups, CALIBRATION, taken=taken)


def test_only_individuals_that_the_evidence_may_speak_for_are_asked_about() -> None:
    evidence = [found("a", 1), found("b", 2, "unsure"), found("stranger", 9, "same")]
    view = _view({"a": "one", "b": "two"})
    ranked_query = rank_query(matches(sighting("q"), evidence), view, CALIBRATION)
    assert ranked_query.asked == ["two", "one"]
    assert ranked_query.comparisons.numbers.tolist() == [1, 2]


def test_without_a_clustering_nobody_is_asked_about_and_doubt_founds() -> None:
    plain = CALIBRATION.model_copy(update={"clustering": None})
    query = matches(sighting("q"), [found("a", 1, "unsure")])
    ranked_query = rank_query(query, _view({"a": "one"}), plain)
    assert not ranked_query.asked
    resolved = resolve_query(query, ranked_query, {}, plain)
    assert (resolved.verdict.outcome, resolved.individual) == (OUTCOME_REVIEW, FOUNDED)


@pytest.mark.parametrize(("splits", "asked"), [(50, ["one"]), (51, [])])
def test_where_individuals_are_parted_all_the_time_nothing_is_joined_in_doubt(
    splits: int, asked: list[str]
) -> None:
    view = replace(_view({"a": "one"}), enrolled=100, splits=splits)
    query = matches(sighting("q"), [found("a", 1, "unsure")])
    assert rank_query(query, view, CALIBRATION).asked == asked


def test_what_cant_be_compared_belongs_nowhere() -> None:
    query = matches(sighting("q"), [found("a", 1, "same")])
    query.incomparable = "blank"
    resolved = _settled(query, {"one": _group(("a", 1))})
    assert (resolved.verdict.outcome, resolved.individual) == (OUTCOME_UNIDENTIFIABLE, "")


def test_a_query_does_not_join_an_individual_of_its_own_image_though_it_is_out_of_sight() -> None:
    groups = {"one": _group(("a", 1), count=MAX_SIGHTINGS_OF_ONE + 1)}
    query = matches(sighting("q"), [found("a", 1, "unsure")])
    assert _settled(query, groups).individual == "one"
    apart = _settled(query, groups, taken=frozenset({"one"}))
    assert apart.individual == FOUNDED


def test_individuals_for_which_there_was_no_room_are_left_out() -> None:
    groups = {"one": _group(("a", 1)), "large": replace(_group(("b", 2)), sightings=())}
    query = matches(sighting("q"), [found("a", 1, "unsure"), found("b", 2, "unsure")])
    view = _view({"a": "one", "b": "large"})
    ranked_query = rank_query(query, view, CALIBRATION)
    assert ranked_query.asked == ["large", "one"]
    assert resolve_query(query, ranked_query, groups, CALIBRATION).revisions == {"one": "1"}


def test_who_is_known_is_asked_about_first() -> None:
    weak = by(PAIR, -9.0)
    affinity = CLUSTERING.affinity.model_copy(update={"pair": weak})
    clustering = CLUSTERING.model_copy(update={"affinity": affinity})
    calibration = CALIBRATION.model_copy(update={"clustering": clustering})
    query = matches(sighting("q"), [found("a", 1, "same")])
    ranked_query = rank_query(query, _view({"a": "one"}), calibration)
    assert ranked_query.asked == ["one"]
    resolved = resolve_query(query, ranked_query, {"one": _group(("a", 1))}, calibration)
    assert (resolved.verdict.outcome, resolved.individual) == (OUTCOME_KNOWN, "one")
