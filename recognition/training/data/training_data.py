"""The pictures of a run, decoded and numbered, and those held out to examine the model on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalogue.reading.photographs import Photograph
from recognition.splits import Split, SplitError, split
from recognition.training.data.crops import Crops, decode
from recognition.training.data.samples import (
    NO_VIEWPOINT,
    Sample,
    digest,
    individual_of,
    labels,
    samples,
    viewpoint_labels,
)
from recognition.training.data.validation_queries import ValidationQueries, build_queries
from recognition.training.recipe import Recipe, TrainingError
from shared.foreground.animal import finder
from shared.foreground.u2netp import u2netp
from shared.identifiers import gallery_name

NONE, AUTO = "none", "auto"


@dataclass(frozen=True)
class TrainingData:
    """What a run learns from.

    `labels` int64 [N] and `viewpoints` int64 [N] belong to the N samples. `held_out`
    says by which split the exam's queries are kept from being learnt.
    """

    crops: Crops
    samples: tuple[Sample, ...]
    labels: NDArray[np.int64]
    viewpoints: NDArray[np.int64]
    validation: ValidationQueries | None
    held_out: str
    digest: str
    finder: str

    @property
    def classes(self) -> int:
        """How many coats there are to tell apart."""
        return int(self.labels.max()) + 1


def prepare(
    photographs: Sequence[Photograph],
    recipe: Recipe,
    input_size: int,
    hold_out: str = AUTO,
    *,
    threads: int = 2,
    progress: Callable[[int], None] = lambda _: None,
) -> TrainingData:
    """Return the lesson of photographs of one animal each, all labelled.

    `hold_out` names a split of `recognition.splits`: its queries are not learnt from. `auto`
    is the encounter split where every photograph belongs to an encounter, else the
    closed one; `none` learns from all.

    Raises:
        TrainingError: the photographs do not allow it.
    """
    parts = train_val_split(photographs, hold_out, recipe.seed)
    found = samples(photographs, parts.gallery, recipe)
    numbers = labels(found, recipe.merge_flanks)
    viewpoints = viewpoint_labels(found)
    if recipe.viewpoint_head and (viewpoints == NO_VIEWPOINT).all():
        raise TrainingError(
            "no picture has a viewpoint, so a viewpoint head would learn nothing; "
            "fill in the column `viewpoint`, or leave the head out"
        )
    segmenter = u2netp() if recipe.mask or recipe.alone else None
    return TrainingData(
        decode(
            photographs,
            input_size,
            segmenter,
            alone=recipe.alone,
            threads=threads,
            progress=progress,
        ),
        tuple(found),
        numbers,
        viewpoints,
        validation_queries(photographs, parts),
        parts.name,
        digest(photographs, found),
        finder(segmenter) if segmenter and recipe.alone else "",
    )


def train_val_split(photographs: Sequence[Photograph], hold_out: str, seed: int) -> Split:
    """Return what is learnt from, as the gallery, and what is held out, as queries.

    Raises:
        TrainingError: they can't be parted so.
    """
    if hold_out == NONE:
        return Split(NONE, tuple(range(len(photographs))), ())
    if hold_out == AUTO:
        hold_out = "encounter" if all(each.encounter for each in photographs) else "closed"
    try:
        return split(hold_out, [_apart(each) for each in photographs], seed)
    except SplitError as error:
        raise TrainingError(f"can't hold out pictures: {error}; or --hold-out none") from error


def _apart(photograph: Photograph) -> Photograph:
    """Return it with words that no other gallery uses: all may have an animal and a night 1."""
    gallery = gallery_name(photograph.population, photograph.species)
    encounter = f"{gallery}/{photograph.encounter}" if photograph.encounter else ""
    return replace(photograph, identities=(individual_of(photograph),), sequence=encounter)


def validation_queries(photographs: Sequence[Photograph], parts: Split) -> ValidationQueries | None:
    """Return the exam over what is held out; None if nothing is.

    Raises:
        TrainingError: no query could be answered.
    """
    if not parts.queries:
        return None
    set_up = build_queries(photographs, parts.queries, parts.gallery)
    if not set_up.answerable.any():
        raise TrainingError(
            f"none of the {len(parts.queries)} pictures that the {parts.name} split holds out "
            "shows the side of an individual that is left to learn; take another --hold-out"
        )
    return set_up
