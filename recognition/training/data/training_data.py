"""The pictures of a run, decoded and labelled, and those held out for validation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalogue.reading.catalogue import Photograph
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
    """Training data of a run.

    `labels` int64 [N] and `viewpoints` int64 [N] belong to the N samples. `held_out` names the
    split whose queries are held out for validation.
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
        """Number of coats (classes)."""
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
    """Return the training data of labelled photographs of one animal each.

    `hold_out` names a split of `recognition.splits`: its queries are held out. `auto` is the
    encounter split if every photograph belongs to an encounter, else the closed one; `none` holds
    out nothing.

    Raises:
        TrainingError: the photographs are insufficient.
    """
    parts = train_val_split(photographs, hold_out, recipe.seed)
    found = samples(photographs, parts.gallery, recipe)
    numbers = labels(found, recipe.merge_flanks)
    viewpoints = viewpoint_labels(found)
    if recipe.viewpoint_head and (viewpoints == NO_VIEWPOINT).all():
        raise TrainingError(
            "no picture has a viewpoint, so a viewpoint head cannot be trained; fill in the "
            "column `viewpoint`, or leave the head out"
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
    """Return training pictures, as the gallery, and held-out ones, as queries.

    Raises:
        TrainingError: they cannot be split.
    """
    if hold_out == NONE:
        return Split(NONE, tuple(range(len(photographs))), ())
    if hold_out == AUTO:
        hold_out = "encounter" if all(each.encounter for each in photographs) else "closed"
    try:
        return split(hold_out, [_apart(each) for each in photographs], seed)
    except SplitError as error:
        raise TrainingError(f"can't hold out pictures: {error}; or use --hold-out none") from error


def _apart(photograph: Photograph) -> Photograph:
    """Return a name made unique over galleries: all may have an animal or a night 1."""
    gallery = gallery_name(photograph.population, photograph.species)
    encounter = f"{gallery}/{photograph.encounter}" if photograph.encounter else ""
    return replace(photograph, identities=(individual_of(photograph),), sequence=encounter)


def validation_queries(photographs: Sequence[Photograph], parts: Split) -> ValidationQueries | None:
    """Return the validation queries of the held-out pictures; None without.

    Raises:
        TrainingError: no query has a match in the gallery.
    """
    if not parts.queries:
        return None
    set_up = build_queries(photographs, parts.queries, parts.gallery)
    if not set_up.answerable.any():
        raise TrainingError(
            f"none of the {len(parts.queries)} pictures held out by the {parts.name} split shows "
            "the same side of a training individual; choose another --hold-out"
        )
    return set_up
