"""Coats: same seed, same coat; another seed, another layout in the same style."""

import numpy as np
import pytest

from recognition.synthetic.coat import LIMB_SHAPE, TRUNK_SHAPE, Field, Style, grow
from recognition.synthetic.species import SPECIES

STYLES = [pytest.param(species.style, id=name) for name, species in SPECIES.items()]


def _correlation(one: Field, other: Field) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.parametrize("style", STYLES)
def test_equal_seeds_grow_equal_coats(style: Style) -> None:
    one, other = grow(style, (7, 1)), grow(style, (7, 1))
    assert np.array_equal(one.trunk.marks, other.trunk.marks)
    assert np.array_equal(one.limbs.marks, other.limbs.marks)


@pytest.mark.parametrize("style", STYLES)
def test_layouts_of_individuals_and_flanks_are_unrelated(style: Style) -> None:
    coats = [grow(style, (individual, flank)) for individual in range(3) for flank in range(2)]
    for number, one in enumerate(coats):
        for other in coats[:number]:
            assert abs(_correlation(one.trunk.marks, other.trunk.marks)) < 0.2


@pytest.mark.parametrize("style", STYLES)
def test_individuals_of_a_species_are_marked_about_equally_densely(style: Style) -> None:
    shares = [float(grow(style, (seed,)).trunk.marks.mean()) for seed in range(6)]
    assert min(shares) > 0.08
    assert max(shares) < 0.65
    assert max(shares) - min(shares) < 0.12


def test_patterns_have_the_promised_shape_and_range() -> None:
    coat = grow(SPECIES["drawn leopard"].style, (1,))
    for pattern, shape in ((coat.trunk, TRUNK_SHAPE), (coat.limbs, LIMB_SHAPE)):
        for layer in (pattern.marks, pattern.hearts):
            assert layer.shape == shape
            assert layer.dtype == np.float32
            assert layer.min() >= 0.0
            assert layer.max() <= 1.0


def test_stripes_run_across_the_body() -> None:
    marks = grow(SPECIES["drawn zebra"].style, (3,)).trunk.marks
    along, across = np.abs(np.diff(marks, axis=1)).mean(), np.abs(np.diff(marks, axis=0)).mean()
    assert along > 1.5 * across


def test_only_rosettes_have_hearts() -> None:
    hearts = {
        name: float(grow(kind.style, (2,)).trunk.hearts.max()) for name, kind in SPECIES.items()
    }
    assert hearts == {"drawn leopard": 1.0, "drawn cheetah": 0.0, "drawn zebra": 0.0}
