"""Training samples: pictures of one animal each, and which of them show the same coat."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalogue.reading.catalogue import Photograph
from recognition.training.recipe import Recipe, TrainingError
from services.embedder.encoders.encoder import VIEWPOINTS
from shared.identifiers import gallery_name, whole_box
from shared.messages import VIEWPOINT_UNSPECIFIED, Box, Viewpoint
from shared.viewpoints import opposite

# No label: ignored by cross-entropy.
NO_VIEWPOINT = -100


@dataclass(frozen=True)
class Sample:
    """One picture of one animal; `picture` is the index of its photograph.

    `individual` is unique over all galleries. A mirrored sample shows an imaginary animal with its
    own name.
    """

    picture: int
    individual: str
    viewpoint: Viewpoint
    mirrored: bool = False


def box_of(photograph: Photograph) -> Box:
    """Return the box of a photograph's one animal; the whole picture where it has none."""
    if photograph.animals:
        return photograph.animals[0].box
    return whole_box()


def viewpoint_of(photograph: Photograph) -> Viewpoint:
    """Return the viewpoint of a photograph's one animal."""
    own = photograph.animals[0].viewpoint if photograph.animals else VIEWPOINT_UNSPECIFIED
    return own or photograph.viewpoint


def individual_of(photograph: Photograph) -> str:
    """Return the name of a photograph's one animal, unique over galleries."""
    gallery = gallery_name(photograph.population, photograph.species)
    return f"{gallery}/{photograph.identities[0]}"


def whole(photographs: Sequence[Photograph], pictures: Sequence[int]) -> list[Sample]:
    """Return one sample per photograph in `pictures`, unmirrored."""
    return [
        Sample(number, individual_of(photographs[number]), viewpoint_of(photographs[number]))
        for number in pictures
    ]


def samples(
    photographs: Sequence[Photograph], pictures: Sequence[int], recipe: Recipe
) -> list[Sample]:
    """Return the training samples of the photographs in `pictures`.

    With `recipe.flip` = flank, a left or right one is added mirrored: as the other flank of another
    individual, because a mirrored coat is nobody's. Pictures from the front, or of unknown
    viewpoint, are not.
    """
    found = whole(photographs, pictures)
    if recipe.flip == "flank":
        for each in tuple(found):
            if (side := opposite(each.viewpoint)) is not None:
                name = f"{each.individual} mirrored"
                found.append(Sample(each.picture, name, side, mirrored=True))
    return found


def labels(found: Sequence[Sample], merge_flanks: bool) -> NDArray[np.int64]:
    """Return a label for each sample, int64 [N]: equal for the same coat.

    The two flanks of an individual have two labels, because they have nothing in common, unless
    they are to be merged.

    Raises:
        TrainingError: there are too few labels, or no two samples of one.
    """
    names = [_coat(each, merge_flanks) for each in found]
    distinct, numbers, counts = np.unique(
        np.array(names, dtype=object).astype(str), return_inverse=True, return_counts=True
    )
    if len(distinct) < 2 or counts.max() < 2:
        raise TrainingError(
            f"{len(names)} pictures of {len(distinct)} individuals (each flank separately) are "
            "too few to train on; at least two individuals, and two pictures of one, are needed: "
            "check the identities in metadata.csv, and the split"
        )
    return numbers.astype(np.int64)


def viewpoint_labels(found: Sequence[Sample]) -> NDArray[np.int64]:
    """Return each sample's index in `VIEWPOINTS`, int64 [N]; NO_VIEWPOINT if unknown."""
    return np.array(
        [VIEWPOINTS.index(each.viewpoint) if each.viewpoint else NO_VIEWPOINT for each in found],
        np.int64,
    )


def digest(photographs: Sequence[Photograph], found: Sequence[Sample]) -> str:
    """Return 12 hex digits that change with the pictures' names, boxes, labels or order."""
    told = hashlib.sha256()
    for each in found:
        photograph = photographs[each.picture]
        box = box_of(photograph).SerializeToString(deterministic=True).hex()
        name = f"{photograph.path.parent.name}/{photograph.path.name}"
        told.update(f"{name} {box} {each.individual} {each.viewpoint}\n".encode())
    return told.hexdigest()[:12]


def _coat(sample: Sample, merge_flanks: bool) -> str:
    if merge_flanks or opposite(sample.viewpoint) is None:
        return sample.individual
    return f"{sample.individual} {VIEWPOINTS.index(sample.viewpoint)}"
