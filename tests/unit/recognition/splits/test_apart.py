"""What was photographed together stays on one side, and every query has an answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition import splits
from recognition.splits import SplitError
from shared.messages import VIEWPOINT_LEFT, VIEWPOINT_RIGHT, VIEWPOINT_UNSPECIFIED, Viewpoint

LEFT, RIGHT, EITHER = VIEWPOINT_LEFT, VIEWPOINT_RIGHT, VIEWPOINT_UNSPECIFIED

ITEMS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", ""]),
        st.integers(1, 12).map(str),
        st.sampled_from([LEFT, RIGHT, EITHER]),
    ),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, derandomize=True)
@given(ITEMS, st.integers(0, 1000))
def test_each_query_is_answered_from_another_encounter_and_the_same_flank(
    items: list[tuple[str, str, Viewpoint]], seed: int
) -> None:
    identities, encounters, viewpoints = zip(*items, strict=True)
    try:
        split = splits.encounter(identities, encounters, viewpoints, share=0.6, seed=seed)
    except SplitError:
        return
    both = {encounters[each] for each in split.gallery} & {encounters[n] for n in split.queries}
    assert not both
    for query in split.queries:
        assert any(
            identities[each] == identities[query]
            and (
                viewpoints[each] == viewpoints[query]
                or EITHER in (viewpoints[each], viewpoints[query])
            )
            for each in split.gallery
        )
    labelled = {n for n, name in enumerate(identities) if name}
    assert labelled == {*split.gallery, *split.queries}


def test_the_queries_come_close_to_their_share_where_the_encounters_allow_it() -> None:
    identities = [f"i{n // 20}" for n in range(200)]
    encounters = [str(n // 2) for n in range(200)]
    split = splits.encounter(identities, encounters, [LEFT, RIGHT] * 100, share=0.75)
    assert len(split.queries) == 50


def test_who_was_met_once_is_in_the_gallery_only() -> None:
    identities = ["once", "once", "twice", "twice"]
    for seed in range(20):
        split = splits.encounter(identities, ["1", "1", "2", "3"], [LEFT] * 4, 0.1, seed)
        assert {0, 1} <= set(split.gallery)
        assert len(split.queries) == 1


def test_two_animals_of_one_encounter_go_to_the_same_side() -> None:
    identities = ["a", "a", "b"]
    for seed in range(20):
        split = splits.encounter(identities, ["1", "2", "1"], [LEFT] * 3, 0.5, seed)
        assert split.queries == (1,)  # b was met once, so a's picture of that encounter stays too


def test_a_flank_that_was_seen_in_one_encounter_only_is_no_query() -> None:
    with pytest.raises(SplitError, match="from the same side in two encounters"):
        splits.encounter(["a", "a"], ["1", "2"], [LEFT, RIGHT])


def test_items_without_an_encounter_are_counted_and_refused() -> None:
    with pytest.raises(SplitError, match="1 of 2 labelled items have no encounter"):
        splits.encounter(["a", "a", ""], ["1", "", ""], [LEFT] * 3)


def test_columns_of_another_length_are_refused() -> None:
    with pytest.raises(SplitError, match="2 identities but 1 encounters"):
        splits.encounter(["a", "a"], ["1"], [LEFT, LEFT])


def test_near_duplicates_stay_on_one_side() -> None:
    identities = ["a"] * 6 + ["b"] * 6
    groups = [0, 0, 1, 1, 2, 3, 4, 4, 4, 4, 4, 4]
    for seed in range(20):
        split = splits.similarity_aware(identities, groups, share=0.7, seed=seed)
        assert not {groups[n] for n in split.gallery} & {groups[n] for n in split.queries}
        assert set(range(6, 12)) <= set(split.gallery)
        assert split.queries


def test_an_individual_of_near_duplicates_alone_can_not_be_asked_for() -> None:
    with pytest.raises(SplitError, match="near-duplicates; raise the threshold"):
        splits.similarity_aware(["a", "a", "b"], [0, 0, 1])
