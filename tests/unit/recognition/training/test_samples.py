"""Which pictures show the same coat, and in which batches they come."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from catalogue.reading.catalogue import Photograph
from recognition.training.data.batches import epoch_batches
from recognition.training.data.samples import (
    NO_VIEWPOINT,
    digest,
    labels,
    samples,
    viewpoint_labels,
)
from recognition.training.data.validation_queries import build_queries
from recognition.training.recipe import Recipe, TrainingError
from recognition.training.schedule import rate
from shared.messages import (
    VIEWPOINT_FRONT,
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    VIEWPOINT_UNSPECIFIED,
    Viewpoint,
)


def shown(name: str, viewpoint: Viewpoint, species: str = "nyala") -> Photograph:
    path = Path(f"{name}-{viewpoint}.jpg")
    return Photograph(path, species=species, viewpoint=viewpoint, identities=(name,))


PHOTOGRAPHS = (
    shown("ada", VIEWPOINT_LEFT),
    shown("ada", VIEWPOINT_LEFT),
    shown("ada", VIEWPOINT_RIGHT),
    shown("ada", VIEWPOINT_FRONT),
    shown("bea", VIEWPOINT_LEFT),
    shown("ada", VIEWPOINT_LEFT, species="lion"),
    shown("bea", VIEWPOINT_UNSPECIFIED),
)
ALL = range(len(PHOTOGRAPHS))


def test_the_two_flanks_of_an_individual_are_two_labels() -> None:
    found = labels(samples(PHOTOGRAPHS, ALL, Recipe()), merge_flanks=False)
    assert found[0] == found[1]
    assert len({found[0], found[2], found[3], found[4]}) == 4


def test_merged_flanks_are_one_label_but_galleries_never_are() -> None:
    found = labels(samples(PHOTOGRAPHS, ALL, Recipe()), merge_flanks=True)
    assert found[0] == found[1] == found[2] == found[3]
    assert found[4] == found[6]
    assert len({found[0], found[4], found[5]}) == 3


def test_a_mirrored_flank_is_the_other_flank_of_somebody_else() -> None:
    found = samples(PHOTOGRAPHS, ALL, Recipe(flip="flank"))
    numbers = labels(found, merge_flanks=False)
    mirrored = [index for index, each in enumerate(found) if each.mirrored]
    assert [found[index].picture for index in mirrored] == [0, 1, 2, 4, 5]
    first = mirrored[0]
    assert found[first].viewpoint == VIEWPOINT_RIGHT
    assert numbers[first] == numbers[mirrored[1]]
    own = {numbers[index] for index, each in enumerate(found) if not each.mirrored}
    assert own.isdisjoint(numbers[index] for index in mirrored)


def test_pictures_that_teach_nothing_are_refused() -> None:
    with pytest.raises(TrainingError, match="2 pictures of 2 individuals"):
        labels(samples(PHOTOGRAPHS, [0, 4], Recipe()), merge_flanks=False)
    with pytest.raises(TrainingError, match="2 pictures of 1 individuals"):
        labels(samples(PHOTOGRAPHS, [0, 1], Recipe()), merge_flanks=False)


def test_an_untold_viewpoint_is_no_label() -> None:
    assert viewpoint_labels(samples(PHOTOGRAPHS, ALL, Recipe())).tolist() == [
        1,
        1,
        2,
        3,
        1,
        1,
        NO_VIEWPOINT,
    ]


def test_the_digest_changes_with_what_is_learnt() -> None:
    found = samples(PHOTOGRAPHS, ALL, Recipe())
    fewer = samples(PHOTOGRAPHS, ALL[1:], Recipe())
    assert digest(PHOTOGRAPHS, found) == digest(PHOTOGRAPHS, list(found))
    assert digest(PHOTOGRAPHS, found) != digest(PHOTOGRAPHS, fewer)


def test_an_exam_compares_neither_flanks_nor_galleries_nor_a_picture_with_itself() -> None:
    asked = build_queries(PHOTOGRAPHS, ALL, ALL)
    assert asked.comparable[0].tolist() == [False, True, False, True, True, False, True]
    assert asked.answerable.tolist() == [True, True, True, True, True, False, True]


def test_r1_counts_answerable_queries_alone() -> None:
    asked = build_queries(PHOTOGRAPHS, [0, 2, 5], [1, 3, 4])
    embeddings = np.eye(7, dtype=np.float32)
    embeddings[0] = embeddings[1]  # right
    embeddings[2] = embeddings[4]  # wrong, but a left flank: not compared, so 3 or nobody
    assert asked.r1(embeddings) == 1.0
    embeddings[0] = embeddings[4]
    assert asked.r1(embeddings) == 0.5


def test_an_epoch_sees_every_sample_at_most_once_and_full_batches_only() -> None:
    numbers = np.arange(23) % 5
    batches = epoch_batches(numbers, 6, 1, seed=3, epoch=2)
    seen = np.concatenate(batches)
    assert [len(batch) for batch in batches] == [6, 6, 6]
    assert len(set(seen.tolist())) == 18
    again = epoch_batches(numbers, 6, 1, seed=3, epoch=2)
    assert (np.concatenate(again) == seen).all()
    assert (np.concatenate(epoch_batches(numbers, 6, 1, seed=3, epoch=3)) != seen).any()


def test_a_batch_for_triplets_holds_pictures_of_one_label_together() -> None:
    numbers = np.repeat(np.arange(6), 4)
    for batch in epoch_batches(numbers, 8, 4, seed=0, epoch=1):
        assert sorted(np.unique(numbers[batch], return_counts=True)[1]) == [4, 4]


def test_fewer_samples_than_a_batch_are_one_batch() -> None:
    [batch] = epoch_batches(np.array([0, 0, 1]), 32, 1, seed=0, epoch=1)
    assert sorted(batch) == [0, 1, 2]


def test_the_rate_rises_then_falls_to_nearly_nothing() -> None:
    rates = [rate(step, 100, 0.1) for step in range(100)]
    assert rates[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert all(later < earlier for earlier, later in pairwise(rates[9:]))
    assert 0 < rates[-1] < 0.01
