"""What both engines must do. The server's is run by the client's local mode, and by a real
server where RESIGHT_TEST_QDRANT_URL names one."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from qdrant_client import QdrantClient

from services.lookup.galleries.descriptors import Described, DescriptorQuery, Neighbours
from services.lookup.galleries.edge import EdgeGalleries
from services.lookup.galleries.gallery import Galleries, Gallery, Query
from services.lookup.galleries.mark import Mark
from services.lookup.galleries.names import SHELVES
from services.lookup.galleries.points import point_id
from services.lookup.galleries.server import ServerGalleries
from services.lookup.settings import GallerySettings
from shared.embeddings import unpack
from shared.messages import VIEWPOINT_LEFT, VIEWPOINT_RIGHT, VIEWPOINT_TOP, Viewpoint
from tests.support.galleries import GALLERY, edge_settings, enrolment, name, vectors

OTHER = "kruger/zebra"

# The client's local mode says that it has no use for indexes and search parameters.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact"),
]


def query(number: int, *, gallery: str = GALLERY, hidden: Viewpoint | None = None) -> Query:
    return Query(gallery, name(number, gallery), unpack(enrolment(number).embedding), hidden)


def _edge(folder: Path) -> Galleries:
    return EdgeGalleries(edge_settings(folder))


def _server(_: Path) -> Galleries:
    url = os.environ.get("RESIGHT_TEST_QDRANT_URL")
    client = QdrantClient(url) if url else QdrantClient(":memory:")
    for collection in client.get_collections().collections:
        if collection.name.startswith(SHELVES):
            client.delete_collection(collection.name)
    return ServerGalleries(client, GallerySettings(kind="server"))


@pytest.fixture(params=[_edge, _server], ids=["edge", "server"])
def galleries(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Galleries]:
    make: Callable[[Path], Galleries] = request.param
    opened = make(tmp_path / "gallery")
    yield opened
    opened.close()


@pytest.fixture
def gallery(galleries: Galleries) -> Gallery:
    return galleries.open("model")


def test_what_was_enrolled_is_found_nearest_first(gallery: Gallery) -> None:
    enrolled = [enrolment(n) for n in range(1, 41)]
    gallery.enrol(enrolled)
    (found,) = gallery.search([query(99)], 10)
    wanted = unpack(enrolment(99).embedding)
    cosines = {e.sighting_id: float(unpack(e.embedding) @ wanted) for e in enrolled}
    best = sorted(cosines, key=lambda s: -cosines[s])[:10]
    assert [c.sighting_id for c in found] == best
    assert [c.cosine for c in found] == pytest.approx([cosines[s] for s in best], abs=1e-5)
    assert found[0].crop == next(e.crop for e in enrolled if e.sighting_id == best[0])


def test_a_query_never_meets_itself_another_gallery_or_a_watermark(gallery: Gallery) -> None:
    gallery.enrol([enrolment(1), enrolment(2), enrolment(3, gallery=OTHER)])
    gallery.set_mark(GALLERY, Mark(watermark=2))
    (found,) = gallery.search([query(1)], 10)
    assert [c.sighting_id for c in found] == [name(2)]
    assert gallery.count(query(1)) == 1


def test_the_hidden_viewpoint_is_hidden_and_no_other(gallery: Gallery) -> None:
    views = [VIEWPOINT_LEFT, VIEWPOINT_RIGHT, VIEWPOINT_TOP]
    gallery.enrol([enrolment(n, viewpoint=v) for n, v in enumerate(views, 1)])
    right_hidden, nothing_hidden = gallery.search([query(9, hidden=VIEWPOINT_RIGHT), query(9)], 10)
    assert {c.viewpoint for c in right_hidden} == {VIEWPOINT_LEFT, VIEWPOINT_TOP}
    assert {c.viewpoint for c in nothing_hidden} == set(views)
    assert gallery.count(query(9, hidden=VIEWPOINT_RIGHT)) == 2


def test_enrolling_again_changes_nothing(gallery: Gallery) -> None:
    enrolled = [enrolment(n) for n in range(1, 6)]
    gallery.enrol(enrolled)
    (before,) = gallery.search([query(9)], 10)
    gallery.enrol(enrolled[::-1])
    (after,) = gallery.search([query(9)], 10)
    assert [c.sighting_id for c in after] == [c.sighting_id for c in before]
    assert [c.cosine for c in after] == pytest.approx([c.cosine for c in before], abs=1e-6)
    assert gallery.count(query(9)) == 5


def test_numbers_are_those_of_one_gallery_within_the_bounds(gallery: Gallery) -> None:
    gallery.enrol([enrolment(n) for n in (1, 2, 3, 5)])
    gallery.enrol([enrolment(4, gallery=OTHER)])
    assert gallery.numbers(GALLERY, 1, 5) == {2, 3, 5}
    assert gallery.numbers(GALLERY, 0, 4) == {1, 2, 3}
    assert gallery.numbers(GALLERY, 5, 100) == set()


def test_each_gallery_has_a_watermark_of_its_own_and_begins_at_zero(gallery: Gallery) -> None:
    assert gallery.mark(GALLERY).watermark == 0
    gallery.set_mark(GALLERY, Mark(watermark=3))
    gallery.set_mark(OTHER, Mark(watermark=8))
    gallery.set_mark(GALLERY, Mark(watermark=4))
    assert (gallery.mark(GALLERY).watermark, gallery.mark(OTHER).watermark) == (4, 8)


def test_a_mark_keeps_its_epoch_and_what_is_forgotten_is_gone(gallery: Gallery) -> None:
    gallery.enrol([enrolment(1), enrolment(2), enrolment(3, gallery=OTHER)])
    gallery.set_mark(GALLERY, Mark("2-a", 2))
    gallery.forget(GALLERY)
    assert gallery.mark(GALLERY) == Mark("2-a", 2)
    assert gallery.numbers(GALLERY, 0, 10) == set()
    assert gallery.count(query(9)) == 0
    assert gallery.numbers(OTHER, 0, 10) == {3}


def test_an_empty_gallery_finds_and_counts_nothing(gallery: Gallery) -> None:
    assert gallery.search([query(1)], 10) == [[]]
    assert gallery.count(query(1)) == 0


def test_models_do_not_meet_and_emptiness_is_known(galleries: Galleries) -> None:
    one, other = galleries.open("one"), galleries.open("other")
    assert galleries.empty()
    one.enrol([enrolment(1)])
    assert not galleries.empty()
    assert other.search([query(9)], 10) == [[]]
    assert galleries.open("one").count(query(9)) == 1
    assert galleries.ready()


def test_recall_of_a_hundred_over_several_galleries(gallery: Gallery) -> None:
    drawn = vectors(5200)
    of = np.arange(len(drawn)) % 4
    for start in range(0, 5000, 500):
        gallery.enrol(
            [
                enrolment(i + 1, gallery=f"population/{of[i]}", vector=drawn[i])
                for i in range(start, start + 500)
            ]
        )
    asked = range(5000, 5200, 10)
    answers = gallery.search(
        [Query(f"population/{of[i]}", f"query {i}", drawn[i], None) for i in asked], 100
    )
    recalls = []
    for i, found in zip(asked, answers, strict=True):
        theirs = np.flatnonzero(of[:5000] == of[i])
        best = theirs[np.argsort(-(drawn[theirs] @ drawn[i]))[:100]]
        recalls.append(len({int(b) + 1 for b in best} & {c.enrolment_number for c in found}) / 100)
    assert np.mean(recalls) >= 0.99


def _described(
    number: int, gallery: str = GALLERY, viewpoint: Viewpoint = VIEWPOINT_TOP
) -> Described:
    return Described(gallery, name(number, gallery), viewpoint, vectors(3, number)[:, :16])


def _asks(number: int, hidden: Viewpoint | None = None) -> DescriptorQuery:
    return DescriptorQuery(GALLERY, name(99), vectors(3, number)[:, :16], hidden)


def _named(neighbours: Neighbours) -> list[str]:
    return [str(UUID(int=of)) for of, _ in neighbours]


def test_each_descriptor_finds_its_own_sighting_first(galleries: Galleries) -> None:
    index = galleries.local("extractor", 16)
    index.enrol([_described(number) for number in range(1, 9)])
    index.enrol([_described(3)])
    one, other = index.nearest([_asks(3), _asks(5)])
    assert [len(one), len(other)] == [3, 3]
    assert {_named(each)[0] for each in one} == {point_id(GALLERY, name(3))}
    assert {_named(each)[0] for each in other} == {point_id(GALLERY, name(5))}
    assert _named(one[0]).count(point_id(GALLERY, name(3))) == 3


def test_descriptors_of_other_galleries_hidden_flanks_and_its_own_are_left_out(
    galleries: Galleries,
) -> None:
    index = galleries.local("extractor", 16)
    index.enrol([_described(3, OTHER), _described(99), _described(4, viewpoint=VIEWPOINT_LEFT)])
    [found] = index.nearest([_asks(3)])
    assert {of for each in found for of in _named(each)} == {point_id(GALLERY, name(4))}
    [hidden] = index.nearest([_asks(3, hidden=VIEWPOINT_LEFT)])
    assert not any(hidden)


def test_a_forgotten_gallery_has_no_descriptors(galleries: Galleries) -> None:
    index = galleries.local("extractor", 16)
    index.enrol([_described(1), _described(2, OTHER)])
    galleries.forget_local(GALLERY)
    assert not any(index.nearest([_asks(1)])[0])
    assert galleries.empty()


def test_candidates_are_read_by_their_points(gallery: Gallery) -> None:
    gallery.enrol([enrolment(number) for number in (1, 2, 3)])
    vector = unpack(enrolment(2).embedding)
    points = [point_id(GALLERY, name(number)) for number in (2, 3, 77)]
    found = {each.enrolment_number: each for each in gallery.named(points, vector)}
    assert sorted(found) == [2, 3]
    assert found[2].cosine == pytest.approx(1, abs=1e-5)
    assert found[2].crop == enrolment(2).crop
