"""Four ways to rank the same evidence."""

import pytest

from recognition.data.labelled_stream import LabelledSighting
from recognition.evaluation.pipelines import (
    COUNT,
    EMBEDDING,
    LOCAL,
    NEIGHBOURS,
    Fusion,
    Pipeline,
    pipelines,
)
from services.registry.identity.rank import rank
from shared.messages import (
    DEPTH_LIGHTGLUE,
    DEPTH_NEIGHBOURS,
    DEPTH_NONE,
    Candidate,
    Depth,
    Evidence,
)
from tests.support.queries import CURVES

ANIMALS = {"a": "ann", "b": "bob", "c": "cat", "d": "dan"}


def seen(
    name: str,
    cosine: float,
    depth: Depth = DEPTH_LIGHTGLUE,
    *,
    neighbours: float = 0,
    matches: int = 0,
    confidence: float = 0,
) -> Evidence:
    return Evidence(
        candidate=Candidate(sighting_id=name, cosine=cosine),
        depth=depth,
        neighbour_score=neighbours,
        matches=matches,
        confidence=confidence,
    )


def labelled(*evidence: Evidence, identity: str = "ann") -> LabelledSighting:
    members = {item.candidate.sighting_id: item.candidate.sighting_id[0] for item in evidence}
    named = {sighting: ANIMALS[first] for sighting, first in members.items()}
    return LabelledSighting(identity, known=True, evidence=evidence, members=named)


def names(pipeline: Pipeline, query: LabelledSighting) -> list[str]:
    return [item.identity for item in pipeline.individuals(query)]


def test_an_individual_is_as_good_as_its_best_picture() -> None:
    query = labelled(seen("a1", 0.1), seen("b1", 0.7), seen("a2", 0.9), seen("b2", 0.8))
    first, second = EMBEDDING.individuals(query)
    assert (first.identity, second.identity) == ("ann", "bob")
    assert [first.score, second.score] == pytest.approx([0.9, 0.8])


def test_pictures_are_labelled_in_the_pipelines_order() -> None:
    query = labelled(seen("a1", 0.1), seen("b1", 0.7), seen("a2", 0.9), seen("b2", 0.8))
    assert EMBEDDING.pictures(query).tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [(LOCAL, ["dan", "cat", "bob", "ann"]), (NEIGHBOURS, ["bob", "cat", "dan", "ann"])],
)
def test_local_ranks_by_how_far_the_cascade_went_and_neighbours_by_their_score(
    pipeline: Pipeline, expected: list[str]
) -> None:
    query = labelled(
        seen("a", 0.9, DEPTH_NONE),
        seen("b", 0.1, DEPTH_NEIGHBOURS, neighbours=50),
        seen("c", 0.1, neighbours=2, confidence=0.5),
        seen("d", 0.1, neighbours=1, confidence=300),
    )
    assert names(pipeline, query) == expected


def test_the_count_puts_candidates_without_lightglue_last_by_cosine() -> None:
    query = labelled(
        seen("a", 0.2, DEPTH_NEIGHBOURS, neighbours=90),
        seen("b", 0.95, DEPTH_NONE),
        seen("c", -1.0, matches=0),
        seen("d", 0.0, matches=3, confidence=0.1),
    )
    assert names(COUNT, query) == ["dan", "cat", "bob", "ann"]


def test_between_equal_counts_the_cosine_decides() -> None:
    query = labelled(seen("a", 0.3, matches=7), seen("b", 0.6, matches=7))
    assert names(COUNT, query) == ["bob", "ann"]


def test_fusion_ranks_as_the_registry_does() -> None:
    curve = CURVES.pooled.model_copy(update={"dependence": 0.5})
    query = labelled(
        *(seen(name, 0.5, matches=20, confidence=9) for name in ("a1", "a2", "b1")),
        seen("c1", 0.9, DEPTH_NEIGHBOURS, neighbours=3),
    )
    served = rank(query.evidence, query.members, frozenset(), curve)
    found = Fusion(curve).individuals(query)
    assert [(item.identity, item.score) for item in found] == [
        (item.individual, item.probability) for item in served
    ]


def test_a_query_without_candidates_ranks_nobody() -> None:
    for pipeline in pipelines(CURVES.pooled):
        assert pipeline.individuals(labelled()) == []
        assert pipeline.pictures(labelled()).tolist() == []


def test_every_pipeline_offers_the_same_individuals_under_its_own_name() -> None:
    query = labelled(seen("a", 0.9, DEPTH_NONE), seen("b", 0.2, matches=4, confidence=2))
    every = pipelines(CURVES.pooled)
    assert [pipeline.name for pipeline in every] == [
        "embedding",
        "neighbours",
        "local",
        "count",
        "fusion",
    ]
    assert {frozenset(names(pipeline, query)) for pipeline in every} == {frozenset({"ann", "bob"})}
