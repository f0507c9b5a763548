"""The recipes by name, as the command line asks for them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogue.reading.catalogue import Photograph
from recognition import splits
from recognition.splits import SplitError
from shared.messages import VIEWPOINT_LEFT, VIEWPOINT_RIGHT

PHOTOGRAPHS = tuple(
    Photograph(
        Path(f"{person}/{encounter}_{side}photo.jpg"),
        captured_at=datetime(2026, 5, 1 + encounter % 5, tzinfo=UTC),
        viewpoint=VIEWPOINT_LEFT if side == "left" else VIEWPOINT_RIGHT,
        identities=(f"i{person}",),
    )
    for person in range(10)
    for encounter in range(5 * person, 5 * person + 5)
    for side in ("left", "right")
)


def test_there_is_a_recipe_for_each_documented_name() -> None:
    assert set(splits.recipes) == {"closed", "open", "disjoint", "time", "encounter", "study"}


@pytest.mark.parametrize("name", splits.recipes)
def test_each_recipe_splits_photographs_under_its_own_name(name: str) -> None:
    split = splits.split(name, PHOTOGRAPHS, seed=1)
    assert split.name == name
    assert len(split.gallery) + len(split.queries) == len(PHOTOGRAPHS)


def test_the_encounter_recipe_goes_by_the_photographs_encounters_and_flanks() -> None:
    split = splits.split("encounter", PHOTOGRAPHS)
    held = {(PHOTOGRAPHS[n].encounter, PHOTOGRAPHS[n].identities) for n in split.gallery}
    asked = {(PHOTOGRAPHS[n].encounter, PHOTOGRAPHS[n].identities) for n in split.queries}
    assert len(split.queries) == 20
    assert not held & asked


def test_the_time_recipe_goes_by_the_days_of_the_photographs() -> None:
    split = splits.split("time", PHOTOGRAPHS)
    assert {PHOTOGRAPHS[n].encounter[-1:] for n in split.gallery} == {"0", "1", "5", "6"}


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(SplitError, match=r"no split 'random'; choose one of closed, open"):
        splits.split("random", PHOTOGRAPHS)


def test_photographs_of_several_animals_must_be_taken_apart_first() -> None:
    pair = Photograph(Path("pair.jpg"), identities=("a", "b"))
    with pytest.raises(SplitError, match=r"pair.jpg shows 2 animals; split catalogue.single"):
        splits.split("closed", [*PHOTOGRAPHS, pair])
