"""Batches, padding and masks change no match; what runs on a GPU runs here on the CPU."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.matcher.published import PublishedLightGlue
from services.matcher.engine import Engine
from services.matcher.pair_matchers.batched_lightglue import BatchedLightGlue, Pairs
from services.matcher.pair_matchers.lightglue import VARIANTS, Correspondences
from shared.keypoints.keypoints import Keypoints

Picture = NDArray[np.uint8]
Draw = Callable[[int], Picture]

VARIANT = VARIANTS["aliked-n16"]
LAYERS, THRESHOLD = 3, 0.1


@pytest.fixture(scope="module")
def one_by_one(networks: Engine) -> PublishedLightGlue:
    return PublishedLightGlue(VARIANTS[networks.extractor.model.name], LAYERS, THRESHOLD)


@pytest.fixture(scope="module")
def together(networks: Engine) -> BatchedLightGlue:
    variant = VARIANTS[networks.extractor.model.name]
    return BatchedLightGlue(variant, LAYERS, THRESHOLD, device="cpu", batch=3)


@pytest.fixture(scope="module")
def pictures(networks: Engine, textured: Draw) -> list[Keypoints]:
    """Pictures of other sizes and with other numbers of keypoints each, two of one coat."""
    coat = textured(1)
    shown = [coat, coat[10:, 30:], textured(2), textured(3)[:90, :200], coat[:, ::-1].copy()]
    found = [networks.extractor.extract(each) for each in shown]
    few = np.arange(len(found[2])) < 5
    return [*found, found[2].where(few), found[1].where(np.arange(len(found[1])) < 1)]


def _agree(one: Correspondences, other: Correspondences) -> None:
    np.testing.assert_array_equal(one.indices, other.indices)
    np.testing.assert_allclose(one.confidence, other.confidence, atol=1e-4)


def test_a_batch_gives_what_pair_by_pair_gives(
    one_by_one: PublishedLightGlue, together: BatchedLightGlue, pictures: list[Keypoints]
) -> None:
    query, *candidates = pictures
    expected, found = (each.match(query, candidates) for each in (one_by_one, together))
    assert len(found) == len(candidates) == 6
    for pair in zip(expected, found, strict=True):
        _agree(*pair)
    assert len(found[0].indices) > 30
    assert together.model == one_by_one.model


def test_a_candidate_s_matches_do_not_depend_on_its_neighbours_in_the_batch(
    together: BatchedLightGlue, pictures: list[Keypoints]
) -> None:
    query, *candidates = pictures
    (alone,) = together.match(query, candidates[:1])
    _agree(together.match(query, candidates)[0], alone)


def test_one_keypoint_against_one_goes_through(
    one_by_one: PublishedLightGlue, together: BatchedLightGlue, pictures: list[Keypoints]
) -> None:
    one = pictures[-1]
    for matcher in (one_by_one, together):
        (found,) = matcher.match(one, [one])
        assert len(found.indices) <= 1


def test_no_candidates_are_no_matches(
    together: BatchedLightGlue, pictures: list[Keypoints]
) -> None:
    assert together.match(pictures[0], []) == []


def test_half_precision_is_a_model_of_its_own() -> None:
    half = BatchedLightGlue(VARIANT, 1, THRESHOLD, device="cpu", half=True)
    assert half.model.preprocessing.endswith("-half")


def test_more_layers_than_were_trained_are_refused() -> None:
    with pytest.raises(ValueError, match="1 to 9 layers, not 10"):
        BatchedLightGlue(VARIANT, 10, THRESHOLD, device="cpu")


def test_what_is_compiled_gets_batches_of_few_shapes_and_gives_the_same(
    networks: Engine,
    together: BatchedLightGlue,
    pictures: list[Keypoints],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shapes: set[tuple[int, ...]] = set()

    def compile_(run: Callable[[Pairs], object], *, dynamic: bool) -> Callable[[Pairs], object]:
        assert not dynamic

        def watched(pairs: Pairs) -> object:
            assert pairs.there is not None
            shapes.add(tuple(pairs.places.shape))
            return run(pairs)

        return watched

    monkeypatch.setattr("torch.compile", compile_)
    monkeypatch.setattr("services.matcher.pair_matchers.batched_lightglue.SIZES", (2, 4))
    variant = VARIANTS[networks.extractor.model.name]
    compiled = BatchedLightGlue(variant, LAYERS, THRESHOLD, device="cpu", batch=4, compiled=250)
    query, *candidates = pictures
    for some in (candidates, candidates[:1]):
        found = compiled.match(query, some)
        assert len(found) == len(some)
        for pair in zip(found, together.match(query, some), strict=True):
            _agree(*pair)
    assert shapes == {(2 * 4, 256, 2), (2 * 2, 256, 2)}
