"""Who is who among the individuals that a query may be."""

from dataclasses import replace

import numpy as np
import pytest

from services.registry.calibration.affinity import PAIR, STEPS, Affinity
from services.registry.calibration.calibration import Clustering
from services.registry.calibration.linkage import GROWN, LINKS, YOUNG, Linkage
from services.registry.features.comparisons import COMPARED, Comparisons
from services.registry.features.evidence import ScoreStatistics
from services.registry.identity.resolve import (
    STAY_MARGIN,
    Member,
    Merge,
    Resolution,
    SplitOff,
    resolve,
)
from shared.votes import KeypointVotes
from tests.support.identities import by

# A pair's log-odds are its cosine, clusters are joined from a mean of 0 on.
BY_MEAN = Clustering(
    affinity=Affinity(pair=by(PAIR, cosine=1.0), against_lists=by(STEPS, log_odds=1.0)),
    linkage=Linkage(weights=by(LINKS, mean=1.0), join=0.0),
    fitted_on=("made",),
)


def member(
    number: int,
    individual: str,
    odds: dict[int, float],
    image: str = "",
    anchors: tuple[str, ...] = (),
) -> Member:
    """A sighting that was compared with earlier ones, with these log-odds."""
    rows = np.zeros((len(odds), len(COMPARED)))
    rows[:, 0] = list(odds.values())
    votes = KeypointVotes(1, np.zeros((1, 1), np.int64), np.zeros((1, 1), np.uint8))
    compared = Comparisons(
        np.array([*odds], dtype=np.int64), rows, ScoreStatistics.of(rows[:0]), votes
    )
    name = f"s{number}" if number else "query"
    return Member(
        sighting=name,
        number=number,
        image=image or f"image of {name}",
        comparisons=compared,
        anchors=anchors,
        individual=individual,
    )


def test_a_young_gallery_takes_more_to_join() -> None:
    linkage = BY_MEAN.linkage.model_copy(update={"join_young": 2.0})
    cautious = BY_MEAN.model_copy(update={"linkage": linkage})
    query, members = member(0, "", {1: 1.0}), [member(1, "a", {})]
    assert resolve(query, members, cautious, enrolled=GROWN).individual == "a"
    assert resolve(query, members, cautious, enrolled=YOUNG).individual != "a"
    assert resolve(query, members, cautious, enrolled=0).individual != "a"
    halfway = round((YOUNG * GROWN) ** 0.5)
    assert linkage.at(halfway).join == pytest.approx(1.0, abs=0.01)


def test_individuals_that_were_compared_without_votes_are_not_split() -> None:
    apart = [member(1, "a", {}), member(2, "a", {1: -9.0})]
    query = member(0, "", {1: -9.0, 2: -9.0})
    assert resolve(query, apart, BY_MEAN).splits
    silent = replace(apart[1].comparisons, votes=KeypointVotes.none())
    members = [apart[0], replace(apart[1], comparisons=silent)]
    assert not resolve(query, members, BY_MEAN).splits


def test_a_query_like_nobody_founds_an_individual() -> None:
    found = resolve(member(0, "", {1: -3.0}), [member(1, "a", {})], BY_MEAN)
    assert found == Resolution("+0")


def test_a_query_joins_whom_all_pairs_speak_for() -> None:
    members = [member(1, "a", {}), member(2, "b", {1: -4.0}), member(3, "b", {1: -4.0, 2: 3.0})]
    assert resolve(member(0, "", {1: 1.0, 2: 2.0, 3: 2.0}), members, BY_MEAN).individual == "b"


def test_a_query_that_shows_two_to_be_one_merges_them() -> None:
    members = [
        member(1, "a", {}),
        member(2, "a", {1: 2.0}),
        member(3, "b", {1: -0.5, 2: -0.5}),
    ]
    query = member(0, "", {1: 3.0, 2: 3.0, 3: 3.0})
    assert resolve(query, members, BY_MEAN) == Resolution("a", (Merge("b", "a"),))


def test_a_sighting_that_fits_elsewhere_moves_there() -> None:
    members = [
        member(1, "a", {}),
        member(2, "a", {1: 3.0}),
        member(3, "a", {1: -6.0, 2: -6.0}),
        member(4, "b", {1: -6.0, 2: -6.0, 3: 3.0}),
        member(5, "b", {1: -6.0, 2: -6.0, 3: 3.0, 4: 3.0}),
    ]
    found = resolve(member(0, "", {1: -5.0, 4: 2.0}), members, BY_MEAN)
    assert found == Resolution("b", (), (SplitOff("a", ("s3",), "b"),))


def test_what_splits_off_is_founded() -> None:
    members = [member(1, "a", {}), member(2, "a", {1: 3.0}), member(3, "a", {1: -6.0, 2: -6.0})]
    found = resolve(member(0, "", {1: -6.0, 2: -6.0, 3: 4.0}), members, BY_MEAN)
    assert found == Resolution("+0", (), (SplitOff("a", ("s3",), "+0"),))


def test_an_id_that_is_out_does_not_move_for_a_small_gain() -> None:
    def split(odds: float) -> tuple[SplitOff, ...]:
        members = [member(1, "a", {}), member(2, "a", {1: odds})]
        return resolve(member(0, "", {1: -9.0, 2: -9.0}), members, BY_MEAN).splits

    assert split(-STAY_MARGIN / 2) == ()
    assert split(-STAY_MARGIN * 2) == (SplitOff("a", ("s2",), "+0"),)


def test_an_individual_that_is_not_all_here_is_not_split() -> None:
    members = [member(1, "a", {}), member(2, "a", {1: -9.0})]
    found = resolve(member(0, "", {1: -9.0}), members, BY_MEAN, whole={"a"})
    assert found == Resolution("+0")


def test_animals_of_one_image_stay_two_whatever_the_evidence() -> None:
    members = [member(1, "a", {}, image="herd"), member(2, "b", {1: 9.0}, image="herd")]
    found = resolve(member(0, "", {1: 5.0, 2: 4.0}), members, BY_MEAN)
    assert found.merges == ()
    herd = resolve(member(0, "", {1: 5.0}, image="herd"), [members[0]], BY_MEAN)
    assert herd == Resolution("+0")


def test_what_is_known_to_differ_is_not_merged_and_not_joined() -> None:
    members = [member(1, "a", {}), member(2, "b", {1: 9.0})]
    differ = {frozenset(("a", "b")), frozenset(("", "a"))}
    found = resolve(member(0, "", {1: 9.0, 2: 1.0}), members, BY_MEAN, differ=differ)
    assert found == Resolution("b")


def test_what_a_person_said_of_two_sightings_holds() -> None:
    told = replace(member(2, "a", {1: 9.0}), differ=("s1",))
    found = resolve(member(0, "", {1: -9.0, 2: -9.0}), [member(1, "a", {}), told], BY_MEAN)
    assert found.splits == (SplitOff("a", ("s2",), "+0"),)
    same = replace(member(2, "a", {1: -9.0}), same=("s1",))
    found = resolve(member(0, "", {1: -9.0, 2: -9.0}), [member(1, "a", {}), same], BY_MEAN)
    assert found.splits == ()


def test_a_query_that_is_known_stays_with_its_individual() -> None:
    members = [member(1, "a", {}), member(2, "b", {1: -9.0})]
    query = member(0, "a", {1: -0.5, 2: 3.0}, anchors=("s1",))
    assert resolve(query, members, BY_MEAN).individual == "a"


def test_what_was_known_by_a_sighting_stays_with_it() -> None:
    known = [member(1, "a", {}), member(2, "a", {1: -6.0}, anchors=("s1",))]
    query = member(0, "", {1: -9.0, 2: -9.0})
    assert resolve(query, known, BY_MEAN).splits == ()
    parted = [known[0], member(2, "b", {1: -6.0}, anchors=("s1",))]
    assert resolve(query, parted, BY_MEAN).merges == ()


def test_anchors_bind_none_who_differ_and_the_first_of_them_counts() -> None:
    herd = [member(1, "a", {}, image="herd"), member(2, "b", {1: -9.0}, image="herd")]
    query = member(0, "b", {1: 0.5, 2: 0.5}, anchors=("s2", "s1"))
    assert resolve(query, herd, BY_MEAN) == Resolution("b")
    differ = {frozenset(("a", "b"))}
    alone = [member(1, "a", {}), member(2, "b", {1: -9.0})]
    assert resolve(query, alone, BY_MEAN, differ=differ) == Resolution("b")
    assert resolve(query, alone, BY_MEAN).merges == (Merge("b", "a"),)


def test_the_larger_individual_keeps_its_id() -> None:
    members = [
        member(1, "old", {}),
        member(2, "large", {1: 2.0}),
        member(3, "large", {1: 2.0, 2: 2.0}),
    ]
    found = resolve(member(0, "", {1: 2.0, 2: 2.0, 3: 2.0}), members, BY_MEAN)
    assert found == Resolution("large", (Merge("old", "large"),))


def test_of_two_alike_the_earlier_keeps_its_id() -> None:
    members = [member(1, "first", {}), member(2, "second", {1: 2.0})]
    found = resolve(member(0, "", {1: 2.0, 2: 2.0}), members, BY_MEAN)
    assert found == Resolution("first", (Merge("second", "first"),))
