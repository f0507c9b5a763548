"""Splits by identity: the published recipes index for index, and the study's protocol."""

from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition import splits
from recognition.splits import Split, SplitError

# The expected queries of these lists were computed with wildlife-datasets 1.0.9 on pandas 3.1.
NAMES = ["b", "a", "a", "b", "unknown", "c", "a", "b", "a", "d", "d"]
NUMBERS = ["10", "9", "9", "10", "9", "100", "10", "9", "100"]
MANY = [f"i{(n * n + 7 * n) % 37}" for n in range(400)]


def digest(split: Split) -> tuple[int, str]:
    text = ",".join(map(str, split.queries))
    return len(split.queries), sha256(text.encode()).hexdigest()[:16]


def test_the_closed_split_is_the_published_one() -> None:
    assert splits.closed(NAMES).queries == (3, 6, 9)
    assert splits.closed(NAMES, share=0.5, seed=1).queries == (0, 1, 8, 9)
    assert digest(splits.closed(MANY)) == (74, "3e13679030ca069b")
    assert digest(splits.closed(MANY, share=0.5, seed=1)) == (200, "8659876ad94fbba8")


def test_the_open_split_is_the_published_one() -> None:
    assert splits.open_set(NAMES, unknown=0.3).queries == (1, 2, 5, 6, 7, 8, 9)
    assert digest(splits.open_set(MANY, unknown=0.3)) == (142, "82cbb0fcfbbad8a5")


def test_the_disjoint_split_is_the_published_one() -> None:
    assert splits.disjoint(NAMES, unknown=0.3).queries == (1, 2, 5, 6, 8)
    assert digest(splits.disjoint(MANY, unknown=0.3)) == (129, "ef180539e2803ca7")


def test_identities_that_are_numbers_are_ordered_as_numbers_like_in_a_table() -> None:
    assert splits.closed(NUMBERS).queries == (3, 4, 8)
    assert splits.closed(NUMBERS, share=0.5, seed=1).queries == (0, 1, 7, 8)
    assert splits.open_set(NUMBERS, unknown=0.3).queries == (1, 2, 4, 5, 6, 7)


@settings(deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(["a", "b", "c", "d", "", "unknown"]), min_size=1),
    st.floats(0.05, 0.95),
    st.integers(0, 2**31),
)
def test_a_closed_split_keeps_everybody_in_the_gallery(
    identities: list[str], share: float, seed: int
) -> None:
    counts = Counter(name for name in identities if name not in {"", "unknown"})
    if not any(count > 1 for count in counts.values()):
        with pytest.raises(SplitError):
            splits.closed(identities, share, seed)
        return
    split = splits.closed(identities, share, seed)
    held = Counter(identities[each] for each in split.gallery)
    asked = Counter(identities[each] for each in split.queries)
    assert held + asked == counts
    assert set(held) == set(counts)
    assert not set(split.gallery) & set(split.queries)
    assert {name for name, count in counts.items() if count > 1} == set(asked)


def test_the_study_keeps_a_share_of_the_individuals_aside_and_splits_the_others_closed() -> None:
    identities = [f"i{n % 20}" for n in range(200)]
    split = splits.study(identities, share=0.7, unknown=0.2)
    held = Counter(identities[each] for each in split.gallery)
    asked = Counter(identities[each] for each in split.queries)
    unseen_models = set(asked) - set(held)
    assert len(unseen_models) == 4
    assert {asked[name] for name in unseen_models} == {10}
    assert {held[name] for name in held} == {7}


def test_another_seed_gives_another_split_and_the_same_seed_the_same() -> None:
    for recipe in (splits.closed, splits.open_set, splits.disjoint, splits.study):
        assert recipe(MANY, seed=1) == recipe(MANY, seed=1)
        assert recipe(MANY, seed=1) != recipe(MANY, seed=2)


def test_what_can_not_be_split_is_refused_with_its_reason() -> None:
    with pytest.raises(SplitError, match="none of the 2 items names an individual"):
        splits.closed(["", "unknown"])
    with pytest.raises(SplitError, match="no individual has two pictures"):
        splits.closed(["a", "b"])
    with pytest.raises(SplitError, match=r"share is 80"):
        splits.closed(NAMES, share=80)
    with pytest.raises(SplitError, match="1 individuals are too few"):
        splits.open_set(["a", "a"])
    with pytest.raises(SplitError, match="2 individuals are too few"):
        splits.study(["a", "a", "b"])
