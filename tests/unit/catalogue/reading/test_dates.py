"""Corrections of clocks as people write them; dates are tested with the tables that have them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalogue.publishing.captures import capture
from catalogue.reading.catalogue import Catalogue, Photograph
from catalogue.reading.dates import correction


@pytest.mark.parametrize(
    ("written", "added"),
    [
        ("+2h", timedelta(hours=2)),
        ("-1d3h20m", -timedelta(days=1, hours=3, minutes=20)),
        ("\N{MINUS SIGN}90 s", -timedelta(seconds=90)),
        ("365d", timedelta(days=365)),
        ("0h", timedelta()),
    ],
)
def test_a_correction_is_read_as_it_is_written(written: str, added: timedelta) -> None:
    assert correction(written) == added


@pytest.mark.parametrize("written", ["", "2", "+", "h", "2h1d", "+02:00", "99999d"])
def test_what_is_no_correction_is_refused_with_its_value(written: str) -> None:
    with pytest.raises(ValueError, match=r"clock|century"):
        correction(written)


def test_a_card_s_pictures_are_published_with_its_correction_and_others_without() -> None:
    card = Catalogue((Photograph(Path("1.jpg")),), ()).labelled(clock=timedelta(hours=2))
    now = datetime(2026, 5, 4, tzinfo=UTC)
    [photograph] = card.photographs
    assert capture(photograph, b"", now).clock_correction.ToTimedelta() == timedelta(hours=2)
    right = replace(photograph, clock=timedelta())
    assert not capture(right, b"", now).HasField("clock_correction")
