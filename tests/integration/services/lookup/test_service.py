"""Lookup as the stage loop sees it, over the engine that it runs with by default."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import Message
from prometheus_client import REGISTRY

from services.lookup.galleries.edge import EdgeGalleries, EdgeGallery
from services.lookup.galleries.gallery import Query
from services.lookup.galleries.mark import collection_of
from services.lookup.refill import ENROLMENTS, NOTHING, PATIENCE_SECONDS, SIGHTINGS, Refill
from services.lookup.service import LookupService
from services.lookup.settings import LookupSettings
from shared.embeddings import DIMENSION, model_name, pack
from shared.errors import Poison, Transient
from shared.messages import (
    VIEWPOINT_BACK,
    VIEWPOINT_FRONT,
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    VIEWPOINT_TOP,
    VIEWPOINT_UNSPECIFIED,
    Candidate,
    CandidateList,
    Embedding,
    Enrolment,
    Matches,
    ModelReference,
    Sighting,
    Viewpoint,
)
from shared.records import Receipt
from tests.support.galleries import (
    GALLERY,
    MODEL,
    answer,
    edge_settings,
    enrolment,
    name,
    sighting,
    vectors,
)

OTHER_MODEL = ModelReference(name="efficientnet_lite0", version="1", preprocessing="int8")


@pytest.fixture
def galleries(tmp_path: Path) -> Iterator[EdgeGalleries]:
    opened = EdgeGalleries(edge_settings(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def service(galleries: EdgeGalleries) -> LookupService:
    return LookupService(galleries, LookupSettings(), lambda _: None)


def numbers(candidates: CandidateList) -> set[int]:
    return {candidate.enrolment_number for candidate in candidates.candidates}


def test_a_sighting_gets_its_list_with_watermark_and_first_pass(service: LookupService) -> None:
    query = sighting(99)
    assert service.handle([enrolment(1), enrolment(2)]) == [[], []]
    found = answer(service, query)
    assert found.query == query
    assert found.watermark == 2
    assert found.pass_number == 1
    assert numbers(found) == {1, 2}
    assert not found.earlier


def test_enrolments_of_a_batch_are_searchable_for_its_sightings(service: LookupService) -> None:
    results = service.handle([sighting(99), enrolment(1), sighting(98), enrolment(2)])
    assert [len(r) if not isinstance(r, Poison) else r for r in results] == [1, 0, 1, 0]
    for result in (results[0], results[2]):
        assert not isinstance(result, Poison)
        (found,) = result
        assert isinstance(found, CandidateList)
        assert (found.watermark, numbers(found)) == (2, {1, 2})


def test_no_more_candidates_than_asked_for(galleries: EdgeGalleries) -> None:
    settings = LookupSettings(candidates=3, whole_below=9)
    service = LookupService(galleries, settings, lambda _: None)
    service.handle([enrolment(n) for n in range(1, 11)])
    assert len(answer(service, sighting(99)).candidates) == 3


def test_a_small_gallery_is_answered_whole_whatever_others_hold(galleries: EdgeGalleries) -> None:
    settings = LookupSettings(candidates=3, whole_below=6)
    service = LookupService(galleries, settings, lambda _: None)
    service.handle([enrolment(n) for n in range(1, 7)])
    service.handle([enrolment(n, gallery="other/zebra") for n in range(1, 9)])
    results = service.handle([sighting(98, gallery="other/zebra"), sighting(99)])
    found = [each for result in results if not isinstance(result, Poison) for each in result]
    assert [len(each.candidates) for each in found if isinstance(each, CandidateList)] == [3, 6]


def test_an_empty_gallery_gives_an_empty_list(service: LookupService) -> None:
    found = answer(service, sighting(1))
    assert (found.watermark, list(found.candidates)) == (0, [])


def test_a_sighting_with_an_identity_goes_on_without_a_search(service: LookupService) -> None:
    service.handle([enrolment(1)])
    query = sighting(99)
    query.identity, query.identified_by = "Nala", "ada"
    [result] = service.handle([query])
    assert not isinstance(result, Poison)
    [told] = result
    assert isinstance(told, Matches)
    assert (told.query, told.pass_number, list(told.evidence)) == (query, 1, [])
    query.embedding.model.name = ""
    [refused] = service.handle([query])
    assert isinstance(refused, Poison)


def test_only_lists_wait_for_a_decision(galleries: EdgeGalleries) -> None:
    sent: list[int] = []
    service = LookupService(galleries, LookupSettings(), sent.append)
    service.acknowledged([Receipt(CandidateList(), "t", 0, 1), Receipt(Matches(), "t", 0, 2)])
    assert sent == [1]


def test_a_replay_changes_nothing(service: LookupService) -> None:
    batch: list[Sighting | Enrolment] = [enrolment(1), sighting(99), enrolment(2), enrolment(3)]
    service.handle(batch)
    once = answer(service, sighting(99))
    service.handle(batch)
    service.handle(batch[::-1])
    assert answer(service, sighting(99)) == once


def test_a_replayed_sighting_that_was_enrolled_meanwhile_does_not_meet_itself(
    service: LookupService,
) -> None:
    service.handle([enrolment(1), enrolment(2)])
    assert numbers(answer(service, sighting(1))) == {2}


def test_the_watermark_waits_for_a_missing_enrolment_and_then_passes_all(
    service: LookupService, galleries: EdgeGalleries
) -> None:
    service.handle([enrolment(1), enrolment(3), enrolment(4)])
    assert answer(service, sighting(99)).watermark == 1
    taking_over = LookupService(galleries, LookupSettings(), lambda _: None)
    taking_over.handle([enrolment(2)])
    found = answer(taking_over, sighting(99))
    assert (found.watermark, numbers(found)) == (4, {1, 2, 3, 4})


VIEWS = (
    VIEWPOINT_UNSPECIFIED,
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    VIEWPOINT_FRONT,
    VIEWPOINT_BACK,
    VIEWPOINT_TOP,
)


@pytest.mark.parametrize("viewpoint", VIEWS)
def test_only_the_opposite_flank_is_hidden(service: LookupService, viewpoint: Viewpoint) -> None:
    service.handle([enrolment(n, viewpoint=view) for n, view in enumerate(VIEWS, 1)])
    opposite = {VIEWPOINT_LEFT: {3}, VIEWPOINT_RIGHT: {2}}.get(viewpoint, set())
    found = answer(service, sighting(99, viewpoint=viewpoint))
    assert numbers(found) == {1, 2, 3, 4, 5, 6} - opposite


def test_a_gallery_of_nothing_but_the_opposite_flank_gives_an_empty_list(
    service: LookupService,
) -> None:
    service.handle([enrolment(1, viewpoint=VIEWPOINT_RIGHT)])
    assert not answer(service, sighting(99, viewpoint=VIEWPOINT_LEFT)).candidates


def test_models_never_meet(service: LookupService) -> None:
    service.handle([enrolment(1), enrolment(2, model=OTHER_MODEL)])
    assert numbers(answer(service, sighting(99))) == {1}
    of_other = sighting(99, embedding=pack(vectors(1)[0], OTHER_MODEL))
    found = answer(service, of_other)
    assert numbers(found) == {2}
    assert found.watermark == 0, "number 1 can't be found under this model"
    third = ModelReference(name="new")
    assert not answer(service, sighting(99, embedding=pack(vectors(1)[0], third))).candidates


class Forgetful(EdgeGallery):
    """A shard whose index has lost its points, as Wildbook saw in production."""

    def search(self, queries: Sequence[Query], limit: int) -> list[list[Candidate]]:  # noqa: ARG002
        return [[] for _ in queries]


def test_an_empty_answer_of_a_gallery_that_is_not_empty_is_an_error(
    service: LookupService, galleries: EdgeGalleries
) -> None:
    service.handle([enrolment(1)])
    whole = galleries.open(model_name(MODEL))
    whole.__class__ = Forgetful
    before = REGISTRY.get_sample_value("resight_lookup_empty_answers_total") or 0
    with pytest.raises(Transient, match=rf"{GALLERY} holds 1 sightings .* found none"):
        service.handle([sighting(99)])
    assert REGISTRY.get_sample_value("resight_lookup_empty_answers_total") == before + 1
    assert not answer(service, sighting(1)).candidates, "its only sighting is the query"


def spoilt(message: Message, **fields: Any) -> Message:
    changed = type(message)()
    changed.CopyFrom(message)
    for field, value in fields.items():
        if isinstance(value, Message):
            getattr(changed, field).CopyFrom(value)
        else:
            setattr(changed, field, value)
    return changed


ZEROS = pack(np.zeros(DIMENSION, np.float32), MODEL)
SHORT = Embedding(model=MODEL, values=b"\0" * 12)
NAMELESS = pack(vectors(1)[0], ModelReference())


@pytest.mark.parametrize(
    ("message", "kind", "says"),
    [
        (spoilt(sighting(5), gallery=""), "incomplete", "no gallery"),
        (spoilt(sighting(5), sighting_id=""), "incomplete", "no sighting_id"),
        (spoilt(sighting(5), embedding=NAMELESS), "bad-embedding", "does not name its model"),
        (spoilt(sighting(5), embedding=ZEROS), "bad-embedding", "all zeros"),
        (spoilt(sighting(5), embedding=SHORT), "bad-embedding", "12 bytes"),
        (spoilt(enrolment(5), number=0), "incomplete", "no number"),
        (spoilt(enrolment(5), embedding=ZEROS), "bad-embedding", "all zeros"),
        (spoilt(enrolment(5), embedding=SHORT), "bad-embedding", "12 bytes"),
        (spoilt(enrolment(5), gallery=""), "incomplete", "no gallery"),
    ],
)
def test_poison_takes_nothing_with_it(
    service: LookupService, message: Sighting | Enrolment, kind: str, says: str
) -> None:
    first, poison, last = service.handle([enrolment(1), message, sighting(99)])
    assert first == []
    assert isinstance(poison, Poison)
    assert poison.kind == kind
    assert says in poison.reason
    assert not isinstance(last, Poison)
    (found,) = last
    assert isinstance(found, CandidateList)
    assert numbers(found) == {1}


def test_what_the_broker_took_is_counted(galleries: EdgeGalleries) -> None:
    counted: list[int] = []
    service = LookupService(galleries, LookupSettings(), counted.append)
    receipt = Receipt(CandidateList(), "resight.candidates.v1", 0, 1)
    service.acknowledged([receipt, receipt])
    assert counted == [2]
    assert service.ready()


def test_a_list_fits_a_broker_even_when_it_is_full(service: LookupService) -> None:
    service.handle([enrolment(n) for n in range(1, 121)])
    found = answer(service, sighting(1))
    assert len(found.candidates) == 119
    assert name(1) not in {candidate.sighting_id for candidate in found.candidates}
    # Of the largest gallery that is answered whole, 1 MB.
    assert found.ByteSize() < 1_000 * len(found.candidates)


def in_epoch(epoch: str, *numbers: int) -> list[Enrolment]:
    found = [enrolment(number) for number in numbers]
    for each in found:
        each.epoch = epoch
    return found


def test_a_later_epoch_of_the_ledger_begins_the_gallery_anew(
    service: LookupService, galleries: EdgeGalleries
) -> None:
    service.handle(in_epoch("2-a", 1, 2, 3))
    before = answer(service, sighting(99))
    assert (before.epoch, before.watermark, numbers(before)) == ("2-a", 3, {1, 2, 3})
    service.handle(in_epoch("3-b", 1))
    after = answer(service, sighting(99))
    assert (after.epoch, after.watermark, numbers(after)) == ("3-b", 1, {1})
    gallery = galleries.open(model_name(MODEL))
    assert (
        gallery.numbers(collection_of(GALLERY, "2-a"), 0, 10) == set()
    )  # nothing of it lies about


def test_what_comes_late_of_an_earlier_epoch_is_left_out_and_counted(
    service: LookupService, caplog: pytest.LogCaptureFixture
) -> None:
    left = "resight_lookup_other_epochs_total"
    before = REGISTRY.get_sample_value(left) or 0
    service.handle(in_epoch("3-b", 1, 2))
    service.handle([*in_epoch("2-a", 3, 4), *in_epoch("3-b", 3), *in_epoch("", 4)])
    found = answer(service, sighting(99))
    assert (found.epoch, found.watermark, numbers(found)) == ("3-b", 3, {1, 2, 3})
    assert REGISTRY.get_sample_value(left) == before + 3
    assert "earlier epoch" in caplog.text


def test_a_gallery_of_an_earlier_version_goes_on_in_no_epoch(service: LookupService) -> None:
    service.handle([enrolment(1), enrolment(2)])
    assert answer(service, sighting(99)).epoch == ""


def test_a_gallery_that_was_lost_is_refilled_whole_though_another_replica_began(
    tmp_path: Path,
) -> None:
    """Two replicas share an engine; each reads the enrolments of another gallery."""
    now = [1000.0]
    first, second = ([enrolment(n, gallery=each) for n in range(1, 301)] for each in ("a/x", "b/x"))
    galleries = EdgeGalleries(edge_settings(tmp_path))
    one, other = (Refill(empty=galleries.empty(), clock=lambda: now[0]) for _ in range(2))
    assert one.rewind() == ENROLMENTS  # it is asked first, and begins
    replica = LookupService(galleries, LookupSettings(), lambda _: None, one)
    replica.handle(first)
    # The other one comes later, finds an engine that is not empty, and goes on where it was.
    late = Refill(empty=galleries.empty(), clock=lambda: now[0])
    assert late.rewind() == NOTHING
    replica = LookupService(galleries, LookupSettings(), lambda _: None, late)
    replica.handle(second[290:])
    assert late.hold() == SIGHTINGS
    now[0] += PATIENCE_SECONDS + 1
    assert late.rewind() == ENROLMENTS  # all of the topic comes again
    for start in range(0, 300, 100):
        assert late.hold() == SIGHTINGS
        replica.handle(second[start : start + 100])
    gallery = galleries.open(model_name(MODEL))
    assert (gallery.mark("a/x").watermark, gallery.mark("b/x").watermark) == (300, 300)
    assert (late.hold(), late.gaps, other.gaps) == (NOTHING, 0, 0)
    galleries.close()
