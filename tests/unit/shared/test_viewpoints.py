"""Opposite flanks are never compared; nothing else is hidden."""

from hypothesis import given
from hypothesis import strategies as st

from shared.messages import (
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    VIEWPOINT_TOP,
    VIEWPOINT_UNSPECIFIED,
    Viewpoint,
)
from shared.viewpoints import compatible, named, opposite

VIEWPOINTS = st.sampled_from([Viewpoint.Value(name) for name in Viewpoint.keys()])  # noqa: SIM118


@given(VIEWPOINTS, VIEWPOINTS)
def test_only_left_and_right_exclude_each_other(one: Viewpoint, other: Viewpoint) -> None:
    assert compatible(one, other) == ({one, other} != {VIEWPOINT_LEFT, VIEWPOINT_RIGHT})
    assert compatible(one, other) == compatible(other, one)


def test_an_unlabelled_animal_has_no_opposite() -> None:
    assert opposite(VIEWPOINT_UNSPECIFIED) is None


def test_words_are_read_whatever_their_case_and_others_are_unspecified() -> None:
    assert named(" Left ") == VIEWPOINT_LEFT
    assert named("top") == VIEWPOINT_TOP
    assert named("three-quarter") == VIEWPOINT_UNSPECIFIED
