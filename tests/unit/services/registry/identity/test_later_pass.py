"""What a later pass compares a query with."""

from services.registry.identity.later_pass import nearest, next_list, pass_number
from services.registry.identity.sighting import enrolment_of
from shared.messages import (
    VIEWPOINT_FRONT,
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    VIEWPOINT_UNSPECIFIED,
    Enrolment,
    Mask,
    ModelReference,
    Viewpoint,
)
from tests.support.queries import evidence, matches, sighting


def _enrolled(
    name: str, number: int, viewpoint: Viewpoint = VIEWPOINT_UNSPECIFIED, individual: str = "A"
) -> tuple[Enrolment, str]:
    enrolment = enrolment_of(sighting(name, viewpoint=viewpoint))
    enrolment.number = number
    return enrolment, individual


def _names(
    query_viewpoint: Viewpoint,
    enrolled: list[tuple[Enrolment, str]],
    seen: frozenset[str] = frozenset(),
    taken: frozenset[str] = frozenset(),
    limit: int = 100,
) -> list[str]:
    query = sighting("query", viewpoint=query_viewpoint)
    found = nearest(query, [enrolled], limit, seen, taken)
    return [candidate.sighting_id for candidate in found]


def test_opposite_flanks_do_not_meet_and_an_unknown_side_meets_all() -> None:
    enrolled = [
        _enrolled("left", 1, VIEWPOINT_LEFT),
        _enrolled("right", 2, VIEWPOINT_RIGHT),
        _enrolled("front", 3, VIEWPOINT_FRONT),
        _enrolled("unknown", 4),
    ]
    assert set(_names(VIEWPOINT_LEFT, enrolled)) == {"left", "front", "unknown"}
    assert set(_names(VIEWPOINT_UNSPECIFIED, enrolled)) == {"left", "right", "front", "unknown"}


def test_the_nearest_come_first_over_all_chunks() -> None:
    query = sighting("query")
    chunks = [[_enrolled(f"s{n}", n)] for n in range(1, 30)] + [[_enrolled("query's twin", 30)]]
    twin = chunks[-1][0][0]
    twin.embedding.CopyFrom(query.embedding)
    found = nearest(query, chunks, 5, frozenset(), frozenset())
    assert found[0].sighting_id == "query's twin"
    assert found[0].cosine > 0.999
    everything = nearest(query, chunks, 100, frozenset(), frozenset())
    assert len(everything) == 30
    assert found == everything[:5]
    assert [c.cosine for c in everything] == sorted((c.cosine for c in everything), reverse=True)


def test_what_was_compared_already_is_left_out() -> None:
    assert _names(VIEWPOINT_LEFT, [_enrolled("a", 1), _enrolled("b", 2)], frozenset("a")) == ["b"]


def test_individuals_of_the_same_picture_are_left_out() -> None:
    enrolled = [_enrolled("a", 1, individual="A"), _enrolled("b", 2, individual="B")]
    assert _names(VIEWPOINT_LEFT, enrolled, taken=frozenset("A")) == ["b"]


def test_the_query_is_not_its_own_candidate() -> None:
    assert _names(VIEWPOINT_LEFT, [_enrolled("query", 1)]) == []


def test_vectors_of_another_model_are_not_compared() -> None:
    enrolment, individual = _enrolled("a", 1)
    enrolment.embedding.model.CopyFrom(ModelReference(name="encoder", version="2"))
    assert _names(VIEWPOINT_LEFT, [(enrolment, individual)]) == []


def test_the_next_list_keeps_all_evidence_and_counts_the_pass() -> None:
    message = matches(sighting("query"), [evidence("a", same=False)], watermark=3, number=2)
    message.votes.keypoints = 5
    following = next_list(message, 7, "", nearest(message.query, [], 1, frozenset(), frozenset()))
    assert following.query == message.query
    assert following.earlier == message.evidence
    assert following.earlier_votes == message.votes
    assert following.watermark == 7
    assert following.pass_number == 3


def test_a_pass_that_was_not_counted_is_the_first() -> None:
    assert pass_number(matches(sighting("query"), number=0)) == 1


def test_an_enrolments_mask_goes_with_it_into_a_later_pass() -> None:
    query = sighting("masked")
    query.mask.CopyFrom(Mask(unused="all", finder="u2netp"))
    enrolled = enrolment_of(query)
    plain = enrolment_of(sighting("plain"))
    chunk = [(enrolled, "A"), (plain, "B")]
    found = {c.sighting_id: c for c in nearest(sighting("q"), [chunk], 9, frozenset(), frozenset())}
    assert found["masked"].mask == query.mask
    assert not found["plain"].HasField("mask")
