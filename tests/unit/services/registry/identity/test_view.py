"""Which sightings are of one encounter: one burst that shows one animal."""

from datetime import UTC, datetime

from services.registry.identity.view import encounter_of
from shared.messages import Sighting


def burst(
    sequence: str = "7", deployment: str = "gate", day: int = 0, *, alone: bool = True
) -> Sighting:
    query = Sighting(sequence=sequence, deployment=deployment, alone=alone)
    if day:
        query.captured_at.FromDatetime(datetime(2026, 5, day, 12, tzinfo=UTC))
    return query


def test_pictures_of_one_burst_are_of_one_encounter() -> None:
    assert encounter_of(burst()) == encounter_of(burst()) != ""
    assert encounter_of(burst(day=1)) == encounter_of(burst(day=1))


def test_another_burst_camera_or_day_is_another_encounter() -> None:
    encounters = [burst(), burst("8"), burst(deployment="hill"), burst(day=1), burst(day=2)]
    assert len({encounter_of(each) for each in encounters}) == 5


def test_without_a_burst_or_with_other_animals_there_is_none() -> None:
    assert encounter_of(burst("")) == encounter_of(burst(alone=False)) == ""
