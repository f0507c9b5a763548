"""What lies in Qdrant for an enrolment."""

from uuid import UUID

import pytest

from services.lookup.galleries.descriptors import MOST, descriptor_id, sighting_of
from services.lookup.galleries.names import collection_name
from services.lookup.galleries.points import candidate, payload, point_id, watermark_id
from shared.messages import VIEWPOINT_LEFT, BlobReference, Mask
from tests.support.galleries import GALLERY, enrolment, name


def test_a_candidate_carries_all_that_was_enrolled_of_it() -> None:
    enrolled = enrolment(7, viewpoint=VIEWPOINT_LEFT)
    found = candidate(payload(enrolled), 0.5)
    assert found.sighting_id == enrolled.sighting_id
    assert found.enrolment_number == 7
    assert found.viewpoint == enrolled.viewpoint
    assert found.crop == enrolled.crop
    assert found.cosine == 0.5


@pytest.mark.parametrize(
    "mask",
    [
        None,
        Mask(unused="little", finder="u2netp"),
        Mask(image=BlobReference(key="masks/a.png", sha256="ab" * 32, size=7), finder="u2netp"),
    ],
)
def test_a_candidate_carries_what_is_known_of_its_mask(mask: Mask | None) -> None:
    enrolled = enrolment(7, mask=mask)
    found = candidate(payload(enrolled), 0.5)
    assert found.mask == enrolled.mask
    assert found.HasField("mask") == enrolled.HasField("mask")


def test_rounding_does_not_pass_a_cosine_of_one() -> None:
    assert candidate(payload(enrolment(1)), 1.0000002).cosine == 1.0


def test_a_point_never_names_an_individual() -> None:
    assert not [key for key in payload(enrolment(1)) if "individual" in key]


def test_points_are_the_same_each_time_and_differ_between_galleries() -> None:
    assert point_id(GALLERY, name(1)) == point_id(GALLERY, name(1))
    ids = [point_id(GALLERY, name(1)), point_id("kruger/nyala", name(1)), watermark_id(GALLERY)]
    assert len(set(ids)) == 3


def test_models_whose_names_look_alike_have_shelves_of_their_own() -> None:
    names = ["hf-hub:A/b-1-x", "hf-hub:a/b-1-x", "../../etc-1-x", "x" * 300]
    shelves = [collection_name(model) for model in names]
    assert len(set(shelves)) == len(names)
    assert all(s.replace("-", "").isalnum() and len(s) < 120 for s in shelves)


def test_a_descriptor_tells_its_sighting() -> None:
    sighting = point_id("hluhluwe/nyala", "abc")
    names = [descriptor_id(sighting, number) for number in range(MOST)]
    assert len(set(names)) == MOST == 64
    assert {sighting_of(UUID(name).int) for name in names} == {UUID(sighting).int}
