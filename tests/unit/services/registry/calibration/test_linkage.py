import numpy as np
import pytest
from numpy.typing import NDArray

from services.registry.calibration.linkage import LINKS, Clusters, settled
from services.registry.calibration.models import Linear


def by(**weights: float) -> Linear:
    count = len(LINKS)
    return Linear(
        coefficients=tuple(weights.get(name, 0.0) for name in LINKS),
        means=(0.0,) * count,
        scales=(1.0,) * count,
        intercept=0.0,
    )


MEAN = by(mean=1.0)


def matrix(count: int, pairs: dict[tuple[int, int], float]) -> NDArray[np.float64]:
    found = np.full((count, count), np.nan)
    for (left, right), value in pairs.items():
        found[left, right] = found[right, left] = value
    return found


def groups(clusters: Clusters) -> list[list[int]]:
    return sorted(sorted(members) for members in clusters.members if members)


def test_one_bridge_does_not_join_two_animals() -> None:
    animals = {(0, 1): 4.0, (2, 3): 4.0}
    apart = {(0, 2): -4.0, (0, 3): -4.0, (1, 3): -4.0}
    clusters = Clusters(matrix(4, {**animals, **apart, (1, 2): 5.0}))
    clusters.agglomerate(by(mean=1.0, mean_of_best_three=0.1), 0.0)
    assert groups(clusters) != [[0, 1, 2, 3]]


def test_all_compared_pairs_count_and_no_others() -> None:
    clusters = Clusters(matrix(4, {(0, 1): 3.0, (2, 3): 2.0, (0, 2): 1.0, (1, 3): 0.6}))
    merges = clusters.agglomerate(MEAN, 0.0)
    assert [round(merge.score, 6) for merge in merges] == [3.0, 2.0, 0.8]


def test_what_is_known_to_differ_is_never_joined() -> None:
    apart = np.zeros((3, 3), dtype=np.bool_)
    apart[0, 1] = apart[1, 0] = True
    clusters = Clusters(matrix(3, {(0, 1): 9.0, (0, 2): 5.0, (1, 2): 5.0}), apart)
    clusters.agglomerate(MEAN, 0.0)
    assert groups(clusters) in ([[0, 2], [1]], [[0], [1, 2]])


def test_what_belongs_together_is_one_cluster_from_the_start() -> None:
    clusters = Clusters(matrix(3, {(0, 1): -9.0, (1, 2): 1.0}), together=[7, 8, 7])
    clusters.agglomerate(MEAN, 0.0)
    assert groups(clusters) == [[0, 2], [1]] or groups(clusters) == [[0, 1, 2]]
    assert any({0, 2} <= set(members) for members in clusters.members)


def test_nothing_is_joined_below_the_level() -> None:
    clusters = Clusters(matrix(2, {(0, 1): 0.9}))
    assert clusters.agglomerate(MEAN, 1.0) == []
    assert clusters.labels().tolist() == [0, 1]


def test_sightings_that_were_not_compared_stay_apart() -> None:
    clusters = Clusters(np.full((3, 3), np.nan))
    assert clusters.agglomerate(MEAN, -99.0) == []
    assert Clusters(np.zeros((0, 0))).agglomerate(MEAN, -99.0) == []


@pytest.mark.parametrize("seed", range(5))
def test_links_of_grown_clusters_are_those_of_their_members(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 2, (12, 12))
    values = np.where(rng.uniform(size=(12, 12)) < 0.5, values, np.nan)
    values = np.triu(values, 1)
    values[np.tril_indices(12)] = np.nan
    log_odds = np.where(np.isnan(values), values.T, values)
    clusters = Clusters(log_odds)
    clusters.agglomerate(by(mean_of_best_three=1.0, log_smaller=-0.2), 1.5)
    names = [name for name, members in enumerate(clusters.members) if members]
    assert 3 <= len(names) < 12
    for left in names:
        for right in clusters.compared(left):
            pairs = log_odds[np.ix_(clusters.members[left], clusters.members[right])]
            pairs = np.sort(pairs[~np.isnan(pairs)])[::-1]
            sizes = sorted(len(clusters.members[name]) for name in (left, int(right)))
            [row] = clusters.links(np.array([left]), np.array([right]))
            assert row == pytest.approx(
                [
                    pairs.mean(),
                    pairs[0],
                    pairs[:3].mean(),
                    np.log(len(pairs)),
                    np.log(sizes[0]),
                    np.log(sizes[1]),
                    len(pairs) / (sizes[0] * sizes[1]),
                    (pairs > 0).mean(),
                ]
            )


def test_clusters_are_made_again_until_nothing_changes() -> None:
    told: list[list[int]] = []

    def regroup(groups: NDArray[np.int64]) -> Clusters:
        """Join one more pair each time, up to three sightings."""
        told.append(groups.tolist())
        clusters = Clusters(np.zeros((4, 4)))
        for joined in range(1, min(len(told) + 1, 3)):
            clusters.join(0, joined)
        return clusters

    assert settled(regroup, "abcd", 9).labels().tolist() == [0, 0, 0, 3]
    assert told == [[0, 1, 2, 3], [0, 0, 1, 2], [0, 0, 0, 1]]
    told.clear()
    assert settled(regroup, "abcd", 1).labels().tolist() == [0, 0, 2, 3]
