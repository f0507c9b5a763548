import struct

import numpy as np
import pytest

from services.registry.features.comparisons import (
    COMPARED,
    Comparisons,
    pack_statistics,
    unpack_statistics,
)
from services.registry.features.evidence import FEATURES, ScoreStatistics
from shared.errors import Poison
from shared.messages import DEPTH_NEIGHBOURS, Candidate, Evidence
from shared.votes import KeypointVotes


def evidence(number: int, cosine: float = 0.5, neighbours: int = 0) -> Evidence:
    candidate = Candidate(sighting_id=f"s{number}", enrolment_number=number, cosine=cosine)
    return Evidence(
        candidate=candidate,
        depth=DEPTH_NEIGHBOURS,
        neighbours=neighbours,
        neighbour_score=neighbours / 10,
    )


def a_list(count: int = 30) -> list[Evidence]:
    return [evidence(number, 0.3 + number / 100, number % 4) for number in range(1, count + 1)]


def test_a_list_read_back_is_the_same() -> None:
    made = Comparisons.of(a_list(), {})
    read = Comparisons.unpack(made.pack())
    assert read.numbers.tolist() == list(range(1, 31))
    assert np.array_equal(read.features, made.features)
    assert read.pack() == made.pack()


def voted() -> list[Evidence]:
    found = a_list(3)
    found[1].reverse, found[1].reverse_keypoints = bytes([9, 8, 7]), 22
    found[2].reverse, found[2].reverse_keypoints = bytes([6]), 33
    return found


def test_votes_and_answers_read_back_are_the_same() -> None:
    votes = KeypointVotes(
        11, np.array([[1, 0], [70_000, 2]]), np.array([[250, 0], [9, 8]], np.uint8)
    )
    read = Comparisons.of(voted(), {}, votes.message())
    assert read.votes.keypoints == 11
    assert read.votes.numbers.tolist() == [[1, 0], [70_000, 2]]
    assert read.votes.similarities.tolist() == [[250, 0], [9, 8]]
    assert read.reverse.numbers.tolist() == [2, 3]
    assert read.reverse.keypoints.tolist() == [22, 33]
    assert read.reverse.similarities.tolist() == [[9, 8, 7], [6, 0, 0]]


def test_a_list_of_the_first_version_is_read_without_votes() -> None:
    now = Comparisons.of(a_list(), {})
    column = FEATURES.index("log_distinctiveness")
    rows = np.empty(30, np.dtype([("number", "<u4"), ("features", "<f2", len(COMPARED) - 1)]))
    rows["number"], rows["features"] = now.numbers, np.delete(now.features, column, axis=1)
    head = struct.pack("<BBI", 1, len(COMPARED) - 1, 30)
    read = Comparisons.unpack(head + pack_statistics(now.statistics) + rows.tobytes())
    assert np.array_equal(read.features, now.features)
    assert read.numbers.tolist() == now.numbers.tolist()
    assert not len(read.votes.numbers)


def test_a_candidate_stands_out_of_its_own_list_too() -> None:
    quiet = ScoreStatistics.of(np.array([[0.2, 0.0, 0.0]] * 40))
    busy = ScoreStatistics.of(np.array([[0.2, 2.0, 0.8]] * 40))
    made = Comparisons.of(
        [evidence(1, neighbours=9), evidence(2, neighbours=9)], {1: quiet, 2: busy}
    )
    column = COMPARED.index("candidates_relative_neighbours")
    assert made.features[0, column] > 5
    assert made.features[1, column] < made.features[0, column] / 2


def test_a_candidate_without_a_list_of_its_own_is_not_judged_by_it() -> None:
    made = Comparisons.of(a_list(), {})
    assert not made.features[:, len(FEATURES) :].any()


def test_a_candidate_that_came_twice_counts_with_its_last_evidence() -> None:
    made = Comparisons.of([evidence(1, neighbours=2), evidence(1, neighbours=7)], {})
    assert made.numbers.tolist() == [1]
    assert made.features[0, FEATURES.index("log_neighbours")] == pytest.approx(np.log(8), abs=1e-3)


def test_an_empty_list_is_a_list() -> None:
    made = Comparisons.of([], {})
    assert made.features.shape == (0, len(COMPARED))
    assert Comparisons.unpack(made.pack()).statistics.share == 0


@pytest.mark.parametrize("stored", [b"", b"\x01\x0e", bytes(40)])
def test_other_bytes_are_refused(stored: bytes) -> None:
    with pytest.raises(Poison, match="comparisons"):
        Comparisons.unpack(stored)


def test_a_cut_list_is_refused() -> None:
    with pytest.raises(Poison, match="list of comparisons is cut"):
        Comparisons.unpack(Comparisons.of(a_list(), {}).pack()[:-1])


def test_a_standing_read_back_judges_alike() -> None:
    statistics = Comparisons.of(a_list(), {}).statistics
    again = unpack_statistics(pack_statistics(statistics))
    scores = np.array([[0.9, 3.0, 1.0]])
    assert again.deviations(scores) == pytest.approx(statistics.deviations(scores))
