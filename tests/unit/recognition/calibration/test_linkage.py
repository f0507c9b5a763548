from dataclasses import replace

import numpy as np
import pytest

from recognition.calibration.bound import CalibrationError
from recognition.calibration.linkage import FittedLinkage, fit_linkage
from recognition.calibration.stream import Stream, streams
from recognition.clustering_metrics import Pairwise, pairwise
from services.registry.calibration.linkage import Clusters
from tests.support.synthetic_stream import made_arrivals


def stream(seed: int, inliers: tuple[float, float] = (25, 2)) -> Stream:
    return Stream.of(made_arrivals(12, 5, seed=seed, shortlist=25, inliers=inliers))


def clustered(fitted: FittedLinkage, found: Stream) -> Pairwise:
    clusters = Clusters(fitted.affinity.matrix(found.pairs, np.arange(len(found.lists))))
    clusters.agglomerate(fitted.linkage.weights, fitted.linkage.join)
    given = {str(index): str(name) for index, name in enumerate(clusters.labels())}
    return pairwise(given, {str(index): name for index, name in enumerate(found.identities)})


def test_clear_evidence_puts_each_animal_together() -> None:
    fitted = fit_linkage({"one": [stream(0)], "two": [stream(1)]})
    found = clustered(fitted, stream(2))
    assert found.precision is not None
    assert found.precision >= 0.93
    assert found.f1 is not None
    assert found.f1 >= 0.9


def test_animals_that_look_alike_are_joined_less_readily() -> None:
    clear = fit_linkage({"one": [stream(0)], "two": [stream(1)]})
    unclear = fit_linkage({"one": [stream(0)], "two": [stream(1, inliers=(12, 6))]})
    assert unclear.linkage.join > clear.linkage.join


def test_a_young_gallery_is_joined_no_more_readily_than_a_grown_one() -> None:
    unclear = {"one": [stream(0)], "two": [stream(1, inliers=(12, 6))]}
    linkage = fit_linkage(unclear).linkage
    assert linkage.join_young is not None
    assert linkage.join_young >= linkage.join


def test_a_stream_is_cut_to_its_first_sightings() -> None:
    whole = stream(0)
    assert whole.first(None) == whole
    cut = whole.first(7)
    assert (list(cut.lists), cut.identities) == (list(whole.lists)[:7], whole.identities[:7])


def test_where_evidence_says_nothing_almost_nothing_is_joined() -> None:
    fitted = fit_linkage({"one": [stream(0)], "two": [stream(1)]})
    nothing = stream(2, inliers=(3, 3))
    matrix = fitted.affinity.matrix(nothing.pairs, np.arange(len(nothing.lists)))
    linkage = fitted.linkage.at(len(nothing.lists))
    merges = Clusters(matrix).agglomerate(linkage.weights, linkage.join)
    assert len(merges) <= len(nothing.lists) // 4


def test_the_same_streams_teach_the_same() -> None:
    sets = {"one": [stream(0)], "two": [stream(1)]}
    assert fit_linkage(sets) == fit_linkage(sets)


def test_numbers_that_begin_again_are_another_stream() -> None:
    arrived = made_arrivals(3, 2, seed=0) + made_arrivals(4, 2, seed=1)
    elsewhere = [replace(each, gallery="elsewhere") for each in made_arrivals(5, 2, seed=2)]
    mixed = [each for pair in zip(arrived, elsewhere, strict=False) for each in pair]
    rest = arrived[len(elsewhere) :]
    assert [len(found.lists) for found in streams([*mixed, *rest])] == [6, 10, 8]


def test_one_set_alone_can_teach() -> None:
    fitted = fit_linkage({"one": [stream(0)]})
    assert np.isfinite(fitted.linkage.join)


def test_a_set_without_two_pictures_of_one_animal_does_not_stop_the_others() -> None:
    loners = Stream.of(made_arrivals(40, 1, seed=3, shortlist=25, inliers=(25, 2)))
    fitted = fit_linkage({"one": [stream(0)], "loners": [loners]})
    assert fitted.silent == ("loners",)
    found = clustered(fitted, stream(2))
    assert found.f1 is not None
    assert found.f1 >= 0.8


def test_without_two_pictures_of_one_animal_there_is_nothing_to_learn() -> None:
    with pytest.raises(CalibrationError, match="0 of 1 pairs show the same"):
        fit_linkage({"one": [Stream.of(made_arrivals(2, 1, seed=3))]})
