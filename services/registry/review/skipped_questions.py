"""Questions that a person could not answer, put aside until the pictures in them change."""

import json
import time
from collections.abc import Callable

from services.registry.identity.question import Question
from services.registry.ledger.keys import key
from services.registry.ledger.store import Store

# A question that nobody can answer now may be one that somebody can in a year.
KEPT_SECONDS = 365 * 86400


class SkippedQuestions:
    """Beside the ledger, as nothing was said of who is who. Every method may raise Transient."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def put(self, gallery: str, one: str, other: str, actor: str) -> None:
        """Put the question of two sightings aside."""
        told = json.dumps({"actor": actor, "at": self._now()})
        self._store.run("HSET", key(gallery, "asides"), _pair(one, other), told)

    def take_back(self, gallery: str, one: str, other: str) -> None:
        """Ask it again."""
        self._store.run("HDEL", key(gallery, "asides"), _pair(one, other))

    def those(self, gallery: str) -> frozenset[str]:
        """Return which pairs are put aside; see `is_in`."""
        found = self._store.run("HGETALL", key(gallery, "asides"))
        oldest = self._now() - KEPT_SECONDS
        return frozenset(
            pair.decode() for pair, told in found.items() if json.loads(told)["at"] > oldest
        )


def is_in(skipped_questions: frozenset[str], question: Question) -> bool:
    """Return whether a question is one of those put aside."""
    return _pair(question.sighting_of_one, question.sighting_of_other) in skipped_questions


def _pair(one: str, other: str) -> str:
    return " ".join(sorted((one, other)))
