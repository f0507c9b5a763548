"""Near-duplicates are found by cosine, and chains of them are one group."""

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.splits import duplicates, near_duplicates


def on_circle(*degrees: float) -> NDArray[np.float32]:
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def test_a_chain_of_alike_pictures_is_one_group() -> None:
    groups = near_duplicates(on_circle(0, 90, 8, 16, 98, 180), threshold=float(np.cos(0.15)))
    assert groups[0] == groups[2] == groups[3]
    assert groups[1] == groups[4]
    assert len(set(groups.tolist())) == 3


def test_blocks_give_the_same_groups_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    embeddings = on_circle(*rng.uniform(0, 360, 50))
    whole = near_duplicates(embeddings, 0.999)
    monkeypatch.setattr(duplicates, "_ROWS", 7)
    np.testing.assert_array_equal(near_duplicates(embeddings, 0.999), whole)
    assert 1 < len(set(whole.tolist())) < 50


def test_no_embeddings_have_no_groups() -> None:
    assert near_duplicates(np.empty((0, 8), np.float32), 0.9).shape == (0,)


def test_what_is_no_unit_vector_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(1, 2\) are not \[N, D\] unit vectors"):
        near_duplicates(on_circle(10) * 2, 0.9)
    with pytest.raises(ValueError, match="unit vectors"):
        near_duplicates(np.ones(4, np.float32), 0.9)
