"""Names that are one animal, and pictures under a wrong name, are found in the evidence."""

import numpy as np

from recognition.calibration.stream import Stream
from recognition.catalogue_check import findings
from services.registry.calibration.affinity import PAIR, STEPS, Affinity
from services.registry.features.comparisons import COMPARED, Comparisons
from services.registry.features.evidence import ScoreStatistics
from tests.support.identities import CLUSTERING as LENIENT
from tests.support.identities import by

SAME, OTHER = 60.0, 0.0
# Log-odds of a pair: 60 inliers +4.2, none -4.
CLUSTERING = LENIENT.model_copy(
    update={
        "affinity": Affinity(
            pair=by(PAIR, -4.0, log_inliers=2.0), against_lists=by(STEPS, 0.0, log_odds=1.0)
        )
    }
)


def stream(animals: str, names: str) -> Stream:
    """Sightings of animals by letter, each compared with all before it, under these names."""
    lists = {}
    for index, animal in enumerate(animals):
        inliers = [SAME if other == animal else OTHER for other in animals[:index]]
        rows = np.zeros((index, len(COMPARED)))
        rows[:, COMPARED.index("log_inliers")] = np.log1p(inliers)
        numbers = np.arange(1, index + 1, dtype=np.int64)
        lists[index + 1] = Comparisons(numbers, rows, ScoreStatistics.of(rows[:0]))
    return Stream(lists, tuple(names))


def test_right_names_have_no_faults() -> None:
    assert findings(stream("aabbbcca", "aabbbcca"), CLUSTERING) == []


def test_one_animal_under_two_names_is_found_with_two_of_its_pictures() -> None:
    [found] = findings(stream("aaaabb", "aadd" + "bb"), CLUSTERING)
    assert (found.fault, found.name, found.other) == ("one animal", "a", "d")
    assert (found.picture, found.other_picture) in {(0, 2), (0, 3), (1, 2), (1, 3)}
    assert found.probability > 0.5


def test_a_picture_under_another_animals_name_is_found() -> None:
    found, *rest = findings(stream("aaabbb", "aaabba"), CLUSTERING)
    assert (found.fault, found.name, found.other, found.picture) == ("another animal", "a", "b", 5)
    assert found.other_picture in {3, 4}
    assert [each for each in rest if each.fault == "stranger"] == []


def test_a_picture_of_an_animal_without_a_name_is_a_stranger_under_that_name() -> None:
    found, *_ = findings(stream("aaaxbb", "aaaabb"), CLUSTERING)
    assert (found.fault, found.name, found.other, found.picture) == ("stranger", "a", "a", 3)
