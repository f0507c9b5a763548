"""Enrolments, sightings and galleries for the tests of lookup."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.lookup.service import LookupService
from services.lookup.settings import GallerySettings
from shared.embeddings import DIMENSION, pack
from shared.errors import Poison
from shared.messages import (
    VIEWPOINT_UNSPECIFIED,
    BlobReference,
    CandidateList,
    Embedding,
    Enrolment,
    Mask,
    ModelReference,
    Sighting,
    Viewpoint,
)

GALLERY = "hluhluwe/nyala"
MODEL = ModelReference(name="efficientnet_lite0", version="1", preprocessing="abc")


def vectors(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Return unit vectors [count, 512]: half in clusters of many sizes, half anywhere."""
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((count, DIMENSION))
    centres = rng.standard_normal((max(1, count // 20), DIMENSION))
    clustered = np.arange(count) % 2 == 0
    drawn[clustered] *= rng.uniform(0.3, 1.0, (clustered.sum(), 1))
    drawn[clustered] += centres[rng.integers(len(centres), size=clustered.sum())]
    unit: NDArray[np.float32] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit.astype(np.float32)


def name(number: int, gallery: str = GALLERY) -> str:
    """Return the sighting ID of a gallery's enrolment."""
    return hashlib.sha256(f"{gallery} {number}".encode()).hexdigest()


def enrolment(
    number: int,
    *,
    gallery: str = GALLERY,
    viewpoint: Viewpoint = VIEWPOINT_UNSPECIFIED,
    vector: NDArray[np.float32] | None = None,
    model: ModelReference = MODEL,
    mask: Mask | None = None,
) -> Enrolment:
    """Return a gallery's enrolment; its vector depends on the number unless it is given."""
    return Enrolment(
        gallery=gallery,
        number=number,
        sighting_id=name(number, gallery),
        viewpoint=viewpoint,
        crop=BlobReference(key=f"crops/{number}.jpg", sha256=name(number), size=1000 + number),
        embedding=pack(vectors(1, number)[0] if vector is None else vector, model),
        mask=mask,
    )


def sighting(
    number: int,
    *,
    gallery: str = GALLERY,
    viewpoint: Viewpoint = VIEWPOINT_UNSPECIFIED,
    embedding: Embedding | None = None,
) -> Sighting:
    """Return the sighting that `enrolment(number)` enrols."""
    return Sighting(
        sighting_id=name(number, gallery),
        gallery=gallery,
        deployment="waterhole-3",
        viewpoint=viewpoint,
        embedding=embedding or pack(vectors(1, number)[0], MODEL),
    )


def answer(service: LookupService, query: Sighting) -> CandidateList:
    """Return the list that a service gives for one sighting."""
    (result,) = service.handle([query])
    assert not isinstance(result, Poison), result
    (only,) = result
    assert isinstance(only, CandidateList)
    return only


def edge_settings(folder: Path, exact_below: int = 100_000) -> GallerySettings:
    """Return the settings of galleries in a folder."""
    return GallerySettings(kind="edge", path=str(folder), exact_below=exact_below)
