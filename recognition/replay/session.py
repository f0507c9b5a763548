"""Runs labelled sightings through the registry, on a temporary ledger."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from embedded.temporary import empty_ledger
from recognition.data.labelled_folder import PUBLISHED_AT
from recognition.data.labelled_stream import MatchedSighting
from recognition.replay.stream import Score, answered, replay_sightings, score
from services.registry.build import build_registry
from services.registry.calibration.calibration import Calibration
from services.registry.ledger.ledger import Ledger
from services.registry.review.reviewer import Reviewer
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.environment import load


@dataclass(frozen=True)
class ReplayRegistry:
    """A registry with its own ledger, and simulated reviewers."""

    ledger: Ledger
    registry: RegistryService
    calibration: Calibration

    def person(self, gallery: str) -> Reviewer:
        """Return the simulated reviewer of a gallery."""
        return Reviewer(self.ledger, self.calibration, gallery, "oracle", lambda: PUBLISHED_AT)


@contextmanager
def replay_registry(calibration: Calibration) -> Iterator[ReplayRegistry]:
    """Yield a registry on an empty ledger."""
    with empty_ledger() as ledger:
        settings = load(RegistrySettings)
        registry = build_registry(ledger, settings, calibration, now=lambda: PUBLISHED_AT)
        yield ReplayRegistry(ledger, registry, calibration)


@dataclass(frozen=True)
class ReplayResult:
    """Result of a stream: decisions, open questions, and the score after each answer."""

    score: Score
    questions: int
    after: Sequence[Score] = ()

    @property
    def questions_per_100(self) -> float:
        """Return the number of open questions per 100 sightings."""
        return 100 * self.questions / max(self.score.sightings, 1)


def replay_stream(
    seen: Iterable[MatchedSighting], calibration: Calibration, answers: int = 0
) -> ReplayResult:
    """Replay a stream, then answer this many questions by the true labels."""
    with replay_registry(calibration) as on:
        decided = list(replay_sightings(seen, on.registry))
        questions = sum(len(on.ledger.questions(name)) for name in on.ledger.galleries())
        after = list(answered(on.ledger, on.person, decided, answers))
        return ReplayResult(score(decided), questions, after)


def as_json(found: ReplayResult) -> dict[str, Any]:
    """Return a result for JSON."""
    numbers = asdict(found.score)
    pairs = numbers.pop("pairs")
    told = {"sightings": numbers.pop("sightings"), **pairs, **numbers}
    told |= {"questions": found.questions, "questions_per_100": found.questions_per_100}
    if found.after:
        told |= {"answers": len(found.after), "f1_after_answers": found.after[-1].pairs.f1}
        told["f1_by_answers"] = [round(each.pairs.f1 or 0.0, 4) for each in found.after]
    return _rounded(told)


def _rounded(numbers: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _rounded(value)
        if isinstance(value, dict)
        else round(value, 4)
        if isinstance(value, float)
        else value
        for name, value in numbers.items()
    }
