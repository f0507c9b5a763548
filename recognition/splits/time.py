"""Splits by time: earlier pictures are the gallery, later ones the queries.

As `TimeProportionSplit` and `TimeCutoffSplit` of wildlife-datasets, except that an item without a
date is an error here, and the cutoff may be any day.
"""

from collections.abc import Sequence
from datetime import date

from recognition.splits.order import by_name
from recognition.splits.split import Split, SplitError, checked, individuals, parted, same_length


def time_proportion(
    identities: Sequence[str], dates: Sequence[date | None], share: float = 0.5
) -> Split:
    """Return a split in which each individual's first days are in the gallery.

    About `share` of the days on which it was seen, at least one, and all but one at most: who
    was seen on one day is in the gallery only.

    Raises:
        SplitError: items lack a date, or no individual was seen on two days.
    """
    checked(share=share)
    items = individuals(identities)
    days = _dated(identities, items, dates)
    gallery: list[int] = []
    queries: list[int] = []
    for name in by_name(items):
        seen = sorted({days[each] for each in items[name]})
        first = set(seen[: max(1, min(len(seen) - 1, round(share * len(seen))))])
        for each in items[name]:
            (gallery if days[each] in first else queries).append(each)
    return parted("time", gallery, queries, "no individual was seen on two days")


def time_cutoff(identities: Sequence[str], dates: Sequence[date | None], cutoff: date) -> Split:
    """Return a split with everything before the day `cutoff` in the gallery, the rest as queries.

    Individuals first seen later are unknown.

    Raises:
        SplitError: items lack a date, or all were seen on one side of the cutoff.
    """
    items = individuals(identities)
    days = _dated(identities, items, dates)
    first, last = min(days.values()), max(days.values())
    return parted(
        "time-cutoff",
        [each for each, day in days.items() if day < cutoff],
        [each for each, day in days.items() if day >= cutoff],
        f"the items were seen from {first} to {last}; take a cutoff after {first}, up to {last}",
    )


def _dated(
    identities: Sequence[str], items: dict[str, list[int]], dates: Sequence[date | None]
) -> dict[int, date]:
    same_length(identities, {"dates": dates})
    wanted = [each for own in items.values() for each in own]
    days = {each: day for each in wanted if (day := dates[each]) is not None}
    if lacking := len(wanted) - len(days):
        raise SplitError(
            f"{lacking} of {len(wanted)} labelled items have no date; fill the column date of "
            "metadata.csv, or split by identity or encounter"
        )
    return days
