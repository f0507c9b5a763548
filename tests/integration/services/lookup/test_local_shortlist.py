"""In a large gallery, an animal that its embedding would lose is found by its keypoints."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.lookup.build import build_lookup
from services.lookup.galleries.edge import EdgeGalleries
from services.lookup.galleries.gallery import Galleries
from services.lookup.local_shortlist import LocalShortlist
from services.lookup.metrics import WITHOUT_KEYPOINTS
from services.lookup.service import LookupService
from services.lookup.settings import LookupSettings
from shared.blobs import BlobStore
from shared.embeddings import pack
from shared.environment import load
from shared.keypoints.keypoints import sound
from shared.keypoints.stored import StoredKeypoints
from shared.messages import (
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    VIEWPOINT_UNSPECIFIED,
    Enrolment,
    ModelReference,
    Sighting,
    Viewpoint,
)
from tests.support.galleries import MODEL, answer, edge_settings, enrolment, sighting, vectors

EXTRACTOR = ModelReference(name="aliked-n16", version="1", preprocessing="p")
FEW, MOST = 10, 5
SETTINGS = LookupSettings(candidates=MOST, whole_below=FEW)


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore((tmp_path / "crops").as_uri())


@pytest.fixture
def galleries(tmp_path: Path) -> Iterator[Galleries]:
    opened = EdgeGalleries(edge_settings(tmp_path / "gallery"))
    yield opened
    opened.close()


def _service(galleries: Galleries, store: BlobStore) -> LookupService:
    local = LocalShortlist(galleries, store)
    return LookupService(galleries, SETTINGS, lambda _: None, local=local)


def _coat(animal: int) -> NDArray[np.float32]:
    return np.random.default_rng(animal).normal(size=(40, 16)).astype(np.float32)


def _keep(store: BlobStore, digest: str, animal: int, noise: float = 0.1) -> None:
    rng = np.random.default_rng(1000 + animal)
    described = _coat(animal) + noise * rng.normal(size=(40, 16)).astype(np.float32)
    found = sound(
        rng.uniform(0, 99, (40, 2)).astype(np.float32),
        np.ones(40, np.float32),
        described,
        width=100,
        height=100,
    )
    StoredKeypoints(store, EXTRACTOR).put(digest, found)


def _enrolled(
    store: BlobStore, number: int, viewpoint: Viewpoint = VIEWPOINT_UNSPECIFIED
) -> Enrolment:
    """Enrolment n shows animal n; its embedding is nearer to the query's the smaller n is."""
    away = vectors(1, number)[0]
    vector = vectors(1, 0)[0] + 0.1 * number * away
    made = enrolment(number, vector=vector / np.linalg.norm(vector), viewpoint=viewpoint)
    made.keypoints.CopyFrom(EXTRACTOR)
    _keep(store, made.crop.sha256, number)
    return made


def _asking(
    store: BlobStore, animal: int, viewpoint: Viewpoint = VIEWPOINT_UNSPECIFIED
) -> Sighting:
    query = sighting(99, embedding=pack(vectors(1, 0)[0], MODEL), viewpoint=viewpoint)
    query.crop.sha256 = "f" * 64
    query.keypoints.CopyFrom(EXTRACTOR)
    _keep(store, "f" * 64, animal, noise=0.2)
    return query


def _numbers(service: LookupService, query: Sighting) -> list[int]:
    return [each.enrolment_number for each in answer(service, query).candidates]


def test_keypoints_find_what_the_embedding_loses(galleries: Galleries, store: BlobStore) -> None:
    service = _service(galleries, store)
    service.handle([_enrolled(store, number) for number in range(1, 31)])
    found = answer(service, _asking(store, 25))
    assert len(found.candidates) == MOST
    cosines = [each.cosine for each in found.candidates]
    assert cosines == sorted(cosines, reverse=True)
    best = max(found.candidates, key=lambda each: each.votes)
    assert best.enrolment_number == 25
    # As a list by embedding would have it, but for those that gave way.
    assert {1, 2} <= {each.enrolment_number for each in found.candidates}


def test_without_keypoints_the_embedding_alone_chooses_and_it_is_counted(
    galleries: Galleries, store: BlobStore
) -> None:
    service = _service(galleries, store)
    service.handle([_enrolled(store, number) for number in range(1, 31)])
    query = _asking(store, 25)
    before = WITHOUT_KEYPOINTS.labels("query")._value.get()
    query.ClearField("keypoints")
    assert _numbers(service, query) == [1, 2, 3, 4, 5]
    query.keypoints.CopyFrom(EXTRACTOR)
    query.crop.sha256 = "e" * 64
    assert _numbers(service, query) == [1, 2, 3, 4, 5]
    assert WITHOUT_KEYPOINTS.labels("query")._value.get() == before + 2


def test_the_opposite_flank_has_no_votes(galleries: Galleries, store: BlobStore) -> None:
    service = _service(galleries, store)
    views = {25: VIEWPOINT_RIGHT}
    service.handle([_enrolled(store, n, views.get(n, VIEWPOINT_LEFT)) for n in range(1, 31)])
    assert 25 not in _numbers(service, _asking(store, 25, VIEWPOINT_LEFT))


def test_a_new_epoch_forgets_the_descriptors_of_the_last(
    galleries: Galleries, store: BlobStore
) -> None:
    service = _service(galleries, store)
    service.handle([_enrolled(store, number) for number in range(1, 31)])
    anew = [_enrolled(store, number) for number in range(1, 13)]
    for each in anew:
        each.epoch = "2026"
    service.handle(anew)
    assert set(_numbers(service, _asking(store, 25))) <= set(range(1, 13))


def test_descriptors_survive_a_restart(tmp_path: Path, store: BlobStore) -> None:
    folder = edge_settings(tmp_path / "gallery")
    first = EdgeGalleries(folder)
    _service(first, store).handle([_enrolled(store, number) for number in range(1, 31)])
    first.close()
    again = EdgeGalleries(folder)
    assert 25 in _numbers(_service(again, store), _asking(store, 25))
    again.close()


@pytest.mark.parametrize(("chosen", "found"), [("on", True), ("off", False)])
def test_the_index_can_be_switched_off(
    galleries: Galleries,
    store: BlobStore,
    monkeypatch: pytest.MonkeyPatch,
    chosen: str,
    *,
    found: bool,
) -> None:
    monkeypatch.setenv("RESIGHT_LOOKUP_DESCRIPTORS", chosen)
    settings = load(LookupSettings).model_copy(update={"candidates": MOST, "whole_below": FEW})
    service = build_lookup(galleries, settings, store=store)
    service.handle([_enrolled(store, number) for number in range(1, 31)])
    assert (25 in _numbers(service, _asking(store, 25))) == found
