"""Plans: who passes which camera when."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.synthetic.plan import Shot, plan

SPECIES = ("drawn leopard", "drawn zebra")


def _plan(seed: int = 0, *, individuals: int = 24, sightings: float = 5.0) -> tuple[Shot, ...]:
    return plan(individuals=individuals, sightings=sightings, species=SPECIES, cameras=6, seed=seed)


def _seen(shots: tuple[Shot, ...]) -> Counter[str]:
    return Counter(input_view.individual.identity for shot in shots for input_view in shot.sights)


@settings(max_examples=40, deadline=None)
@given(
    individuals=st.integers(2, 60),
    sightings=st.floats(2.0, 9.0),
    seed=st.integers(0, 1000),
)
def test_a_tenth_is_seen_once_and_the_total_is_as_asked(
    individuals: int, sightings: float, seed: int
) -> None:
    seen = _seen(_plan(seed, individuals=individuals, sightings=sightings))
    once = [identity for identity, count in seen.items() if count == 1]
    assert len(seen) == individuals
    assert seen.total() == round(individuals * sightings)
    assert len(once) == max(1, round(individuals / 10))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_pictures_of_two_show_two_individuals_of_one_species(seed: int) -> None:
    shots = _plan(seed)
    pairs = [shot.sights for shot in shots if len(shot.sights) > 1]
    assert pairs
    for one, other in pairs:
        assert one.individual != other.individual
        assert one.individual.species == other.individual.species


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_sequence_is_one_camera_and_the_same_animals_within_seconds(seed: int) -> None:
    groups: dict[str, list[Shot]] = {}
    for shot in _plan(seed):
        groups.setdefault(shot.sequence, []).append(shot)
    assert any(len(group) > 1 for group in groups.values())
    for group in groups.values():
        assert len({(shot.camera, shot.sights) for shot in group}) == 1
        assert (group[-1].taken - group[0].taken).total_seconds() < 10


def test_pictures_come_in_order_of_time_and_individuals_take_turns() -> None:
    shots = _plan()
    assert [shot.taken for shot in shots] == sorted(shot.taken for shot in shots)
    order = [shot.sights[0].individual.identity for shot in shots]
    changes = sum(one != other for one, other in pairwise(order))
    assert changes > 0.6 * len(order)


def test_most_individuals_show_mostly_one_flank_and_some_both() -> None:
    flanks: dict[str, Counter[str]] = {}
    for shot in _plan(individuals=60, sightings=8.0):
        for input_view in shot.sights:
            flanks.setdefault(input_view.individual.identity, Counter())[input_view.flank] += 1
    sided = [max(each.values()) / each.total() for each in flanks.values()]
    assert sum(share > 0.75 for share in sided) > len(sided) / 2
    assert any(share < 0.7 for share in sided)


def test_equal_seeds_plan_equal_seasons() -> None:
    assert _plan(4) == _plan(4)
    assert _plan(4) != _plan(5)


@pytest.mark.parametrize(("individuals", "sightings"), [(1, 5.0), (10, 1.5)])
def test_too_little_to_identify_anyone_by_is_refused(individuals: int, sightings: float) -> None:
    with pytest.raises(ValueError, match="at least"):
        _plan(individuals=individuals, sightings=sightings)
