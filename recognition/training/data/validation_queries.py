"""Validation queries, and how often the nearest picture is the right one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalogue.reading.catalogue import Photograph
from recognition.training.data.samples import individual_of, viewpoint_labels, viewpoint_of, whole
from shared.identifiers import gallery_name
from shared.viewpoints import opposite


@dataclass(frozen=True)
class ValidationQueries:
    """Queries and their gallery.

    Indices of pictures, int64 [Q] and [G], and for each pair, bool [Q, G]: whether lookup would
    compare them (one gallery, not left with right, not a picture with itself), and whether both
    show one individual.
    """

    queries: NDArray[np.int64]
    gallery: NDArray[np.int64]
    comparable: NDArray[np.bool_]
    same: NDArray[np.bool_]
    viewpoints: NDArray[np.int64]  # [Q], as `samples.viewpoint_labels` gives them

    @property
    def answerable(self) -> NDArray[np.bool_]:
        """Whether a query's individual is in the gallery, bool [Q]."""
        return np.asarray((self.same & self.comparable).any(axis=1))

    def r1(self, embeddings: NDArray[np.float32]) -> float:
        """Return the share of answerable queries whose nearest picture is of their individual."""
        return float(self.right(embeddings).mean())

    def right(self, embeddings: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return for which answerable queries the nearest picture is of their individual, [A].

        `embeddings` [N, D] of unit length are those of all pictures, by index.
        """
        rows = np.flatnonzero(self.answerable)
        scores = embeddings[self.queries[rows]] @ embeddings[self.gallery].T
        scores[~self.comparable[rows]] = -np.inf
        return np.asarray(self.same[rows, scores.argmax(axis=1)])


def build_queries(
    photographs: Sequence[Photograph], queries: Sequence[int], gallery: Sequence[int]
) -> ValidationQueries:
    """Return the validation queries of photographs of one animal each, by index."""
    asked, there = np.array(queries, np.int64), np.array(gallery, np.int64)
    one, other = _keys(photographs, queries), _keys(photographs, gallery)
    return ValidationQueries(
        asked,
        there,
        (one.galleries[:, None] == other.galleries)
        & (one.sides[:, None] != other.opposites)
        & (asked[:, None] != there),
        one.individuals[:, None] == other.individuals,
        viewpoint_labels(whole(photographs, queries)),
    )


@dataclass(frozen=True)
class _Keys:
    """Keys that decide whether two pictures are compared and match, each [N]."""

    galleries: NDArray[np.str_]
    individuals: NDArray[np.str_]
    sides: NDArray[np.int64]
    opposites: NDArray[np.int64]  # the viewpoint that this one is not compared with; -1: none


def _keys(photographs: Sequence[Photograph], numbers: Sequence[int]) -> _Keys:
    shown = [photographs[number] for number in numbers]
    sides = [viewpoint_of(each) for each in shown]
    opposites = [opposite(side) for side in sides]
    return _Keys(
        np.array([gallery_name(each.population, each.species) for each in shown]),
        np.array([individual_of(each) for each in shown]),
        np.array(sides, np.int64),
        np.array([-1 if side is None else side for side in opposites], np.int64),
    )
