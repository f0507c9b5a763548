"""Splits by time: nothing in the gallery is younger than a query of the same individual."""

from datetime import date

import pytest

from recognition import splits
from recognition.splits import SplitError

IDENTITIES = ["b", "a", "a", "b", "unknown", "c", "a", "b", "a", "d", "d"]
DATES = [date(2026, 5, day) for day in (1, 3, 2, 1, 1, 4, 2, 5, 2, 6, 7)]


def test_the_first_days_of_everybody_are_the_gallery_as_published() -> None:
    split = splits.time_proportion(IDENTITIES, DATES)
    # Computed with TimeProportionSplit(0.5) of wildlife-datasets 1.0.9.
    assert split.gallery == (0, 2, 3, 5, 6, 8, 9)
    assert split.queries == (1, 7, 10)


def test_everybody_keeps_a_day_in_the_gallery_however_small_the_share() -> None:
    split = splits.time_proportion(IDENTITIES, DATES, share=0.01)
    assert {IDENTITIES[each] for each in split.gallery} == {"a", "b", "c", "d"}


def test_the_cutoff_parts_what_was_seen_before_from_the_rest() -> None:
    split = splits.time_cutoff(IDENTITIES, DATES, date(2026, 5, 4))
    assert split.gallery == (0, 1, 2, 3, 6, 8)
    assert split.queries == (5, 7, 9, 10)


def test_a_cutoff_outside_of_the_dates_is_refused_with_their_span() -> None:
    with pytest.raises(SplitError, match="after 2026-05-01, up to 2026-05-07"):
        splits.time_cutoff(IDENTITIES, DATES, date(2027, 1, 1))


def test_items_without_a_date_are_counted_and_refused() -> None:
    with pytest.raises(SplitError, match="2 of 3 labelled items have no date"):
        splits.time_proportion(["a", "a", "b", ""], [None, date(2026, 5, 4), None, None])


def test_one_day_each_makes_no_split() -> None:
    with pytest.raises(SplitError, match="no individual was seen on two days"):
        splits.time_proportion(["a", "a", "b"], [date(2026, 5, 4)] * 3)
