"""A stream of labelled sightings through the registry, on a ledger of its own."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from recognition.arrivals import Seen
from recognition.grouping import Pairwise
from recognition.replay import Score, answered, replay, score
from resight.observing import PUBLISHED_AT
from resight.stack.temporary import empty_ledger
from services.registry.calibration import Calibration
from services.registry.ledger import Ledger
from services.registry.operator import Operator
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.settings import load


@dataclass(frozen=True)
class Stage:
    """A registry on a ledger of its own, and people who answer what it asks."""

    ledger: Ledger
    registry: RegistryService
    calibration: Calibration

    def person(self, gallery: str) -> Operator:
        """Return somebody who answers in a gallery."""
        return Operator(self.ledger, self.calibration, gallery, "oracle", lambda: PUBLISHED_AT)


@contextmanager
def stage(calibration: Calibration) -> Iterator[Stage]:
    """Give a registry on an empty ledger."""
    with empty_ledger() as ledger:
        settings = load(RegistrySettings)
        registry = RegistryService(ledger, calibration, settings, now=lambda: PUBLISHED_AT)
        yield Stage(ledger, registry, calibration)


def replayed(
    seen: Iterable[Seen], calibration: Calibration, answers: int = 0
) -> tuple[Score, list[Score]]:
    """Return the score of a stream, and those after each of so many answers to questions."""
    with stage(calibration) as on:
        decided = list(replay(seen, on.registry))
        return score(decided), list(answered(on.ledger, on.person, decided, answers))


def as_json(found: Score, after: Sequence[Score] = ()) -> dict[str, Any]:
    """Return a score as JSON has it; `after` answers, if there were any."""
    numbers = asdict(found)
    pairs = numbers.pop("pairs")
    told = {"sightings": numbers.pop("sightings"), **pairs, **numbers}
    if after:
        told |= {"answers": len(after), "f1_after_answers": after[-1].pairs.f1}
        told["f1_by_answers"] = [round(each.pairs.f1 or 0.0, 4) for each in after]
    return _rounded(told)


def score_table(score: Score, title: str, after: Sequence[Score] = ()) -> Table:
    """Return a score as a table for a terminal; `after` answers, if there were any."""
    table = Table("of", "value", title=title)
    for outcome, count in score.decisions.items():
        table.add_row(outcome, str(count))
    table.add_section()
    table.add_row("individuals in the end", str(score.individuals))
    table.add_row("animals' flanks that there are", str(score.individuals_true))
    table.add_row("merged / split on the way", f"{score.merges} / {score.splits}")
    table.add_section()
    for name, found in (("pairs", score.pairs), ("B-cubed", score.bcubed)):
        table.add_row(f"{name}: precision, recall, F1", _three(found))
    table.add_row("adjusted Rand index", _share(score.ari))
    table.add_row("new animals called known", _share(score.false_known))
    if after:
        table.add_section()
        table.add_row(f"pairs' F1 after {len(after)} answers", _share(after[-1].pairs.f1))
    return table


def _three(found: Pairwise) -> str:
    return ", ".join(_share(each) for each in (found.precision, found.recall, found.f1))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _rounded(numbers: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _rounded(value)
        if isinstance(value, dict)
        else round(value, 4)
        if isinstance(value, float)
        else value
        for name, value in numbers.items()
    }
