"""The head in closed form, on made features whose answer is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.training.adaptation.discriminant import discriminant
from recognition.training.recipe import TrainingError
from shared.embeddings import DIMENSION

INDIVIDUALS, FEATURES = 20, 60


def _pictures(seed: int, each: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Individuals differ faintly in the first 8 features; light varies the others widely."""
    coats = np.random.default_rng(0).normal(0, 1, (INDIVIDUALS, 8))
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(INDIVIDUALS), each)
    features = rng.normal(0, 1, (len(labels), FEATURES))
    features[:, :8] = coats[labels] + rng.normal(0, 0.3, (len(labels), 8))
    light = rng.normal(0, 5, (len(labels), 4))
    features[:, 8:] += light @ np.random.default_rng(1).normal(0, 1, (4, FEATURES - 8))
    return (features + 3).astype(np.float32), labels


def _r1(
    queries: NDArray[np.float32], gallery: NDArray[np.float32], labels: NDArray[np.int64]
) -> float:
    def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    nearest = (unit(queries) @ unit(gallery).T).argmax(axis=1)
    return float((labels[nearest] == labels[: len(queries)]).mean())


def test_pictures_that_it_never_saw_are_recognised_better_than_by_the_features() -> None:
    (known, labels), (asked, _) = _pictures(1, 6), _pictures(2, 6)
    head = discriminant(known, labels)
    after = _r1(asked @ head.weight.T + head.bias, known @ head.weight.T + head.bias, labels)
    assert after >= 0.95
    assert _r1(asked, known, labels) < 0.5


def test_it_gives_512_numbers_and_is_the_same_every_time() -> None:
    known, labels = _pictures(1, 6)
    head, again = discriminant(known, labels), discriminant(known, labels)
    assert head.weight.shape == (DIMENSION, FEATURES)
    assert head.bias.shape == (DIMENSION,)
    assert np.array_equal(head.weight, again.weight)
    assert np.count_nonzero(np.abs(head.weight).sum(axis=1)) == INDIVIDUALS - 1


def test_a_feature_that_never_varies_does_no_harm() -> None:
    known, labels = _pictures(1, 6)
    known[:, -1] = 7
    assert np.isfinite(discriminant(known, labels).weight).all()


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_one_individual_or_no_second_picture_is_refused(labels: list[int]) -> None:
    features = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    with pytest.raises(TrainingError, match="two pictures of one"):
        discriminant(features, np.array(labels))
