import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.embeddings import DIMENSION, model_name, pack, unpack
from shared.errors import Poison
from shared.messages import Embedding, ModelReference

MODEL = ModelReference(name="efficientnet_lite0", version="1", preprocessing="ab12")


@given(seed=st.integers(0, 2**32 - 1))
def test_a_vector_arrives_bit_for_bit(seed: int) -> None:
    vector = np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)
    assert np.array_equal(unpack(pack(vector, MODEL)), vector)


@pytest.mark.parametrize("values", [b"", b"\0" * (4 * DIMENSION - 4), b"\0" * (4 * DIMENSION + 4)])
def test_a_vector_of_another_length_is_poison(values: bytes) -> None:
    with pytest.raises(Poison, match=f"{len(values)} bytes instead of {4 * DIMENSION}"):
        unpack(Embedding(model=MODEL, values=values))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_vector_that_is_not_finite_is_poison(value: float) -> None:
    vector = np.zeros(DIMENSION, np.float32)
    vector[7] = value
    with pytest.raises(Poison, match="not finite"):
        unpack(pack(vector, MODEL))


def test_a_vector_of_another_shape_is_not_packed() -> None:
    with pytest.raises(ValueError, match=r"\(512,\), not \(1, 512\)"):
        pack(np.zeros((1, DIMENSION), np.float32), MODEL)


def test_the_name_of_a_model_tells_apart_its_three_fields() -> None:
    assert model_name(MODEL) == "efficientnet_lite0-1-ab12"
