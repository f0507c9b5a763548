"""Small charts as numbers for SVG templates."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.registry.ledger.individual_overview import IndividualOverview

WIDTH, HEIGHT = 600, 160
MOST_MONTHS = 24


@dataclass(frozen=True)
class Curve:
    """Known individuals over time: points of a line in WIDTH x HEIGHT.

    flattening: share of all known individuals that were new in the last quarter of the time
    """

    points: str
    area: str
    first: float
    last: float
    most: int
    flattening: float


def curve(firsts: Sequence[float]) -> Curve | None:
    """Return the discovery curve for the times of first sightings."""
    times = sorted(firsts)
    if len(times) < 2 or times[0] == times[-1]:
        return None
    span = times[-1] - times[0]
    steps = ["0,160"]
    for number, when in enumerate(times, 1):
        x = WIDTH * (when - times[0]) / span
        steps.append(f"{x:.1f},{HEIGHT * (1 - (number - 1) / len(times)):.1f}")
        steps.append(f"{x:.1f},{HEIGHT * (1 - number / len(times)):.1f}")
    points = " ".join(steps)
    recent = sum(when > times[-1] - span / 4 for when in times) / len(times)
    return Curve(points, f"{points} {WIDTH},{HEIGHT}", times[0], times[-1], len(times), recent)


@dataclass(frozen=True)
class Month:
    """One month: sightings, animals, and animals seen for the first time.

    x, width, height, new_height: of its bars, which stand on y = HEIGHT
    """

    label: str
    sightings: int
    animals: int
    new: int
    x: float
    width: float
    height: float
    new_height: float


def months(individuals: Sequence[IndividualOverview]) -> list[Month]:
    """Return the monthly history of a gallery over the last two years.

    Pictures without a time are not in it.
    """
    sightings: Counter[tuple[int, int]] = Counter()
    new: Counter[tuple[int, int]] = Counter()
    animals: dict[tuple[int, int], set[str]] = {}
    for each in individuals:
        for time in each.times:
            month = _month(time)
            sightings[month] += 1
            animals.setdefault(month, set()).add(each.id)
        if each.first is not None:
            new[_month(each.first)] += 1
    shown = sorted(animals)[-MOST_MONTHS:]
    most = max((len(animals[month]) for month in shown), default=1)
    step = WIDTH / max(1, len(shown))
    return [
        Month(
            label=f"{datetime(*month, 1, tzinfo=UTC):%b %Y}",
            sightings=sightings[month],
            animals=len(animals[month]),
            new=new[month],
            x=round((number + 0.1) * step, 1),
            width=round(0.8 * step, 1),
            height=round(HEIGHT * len(animals[month]) / most, 1),
            new_height=round(HEIGHT * new[month] / most, 1),
        )
        for number, month in enumerate(shown)
    ]


@dataclass(frozen=True)
class Dot:
    """A sighting on a timeline, in WIDTH x the lanes' height."""

    x: float
    lane: int
    sighting: str
    label: str


def timeline(individual: IndividualOverview) -> tuple[list[str], list[Dot]]:
    """Return an individual's deployments, most frequent first, and its sightings in them.

    Sightings without a time have no dot.
    """
    lanes = sorted(individual.deployments, key=lambda name: (-individual.deployments[name], name))
    first, last = individual.first or 0.0, individual.last or 0.0
    return lanes, [
        Dot(
            round((WIDTH - 20) * (seen.captured_at - first) / max(last - first, 1.0) + 10, 1),
            lanes.index(seen.deployment),
            seen.id,
            seen.deployment,
        )
        for seen in individual.sightings
        if seen.captured_at is not None
    ]


def _month(seconds: float) -> tuple[int, int]:
    at = datetime.fromtimestamp(seconds, UTC)
    return at.year, at.month
