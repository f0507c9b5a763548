"""Skipped questions, hidden until their pictures change."""

import json
import time
from collections.abc import Callable

from services.registry.identity.question import Question
from services.registry.ledger.keys import key
from services.registry.ledger.store import Store

# After this time a question is asked again.
KEPT_SECONDS = 365 * 86400


class SkippedQuestions:
    """Stored beside the ledger, because skipping decides nothing.

    Every method may raise Transient.
    """

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def put(self, gallery: str, one: str, other: str, actor: str) -> None:
        """Skip the question about two sightings."""
        told = json.dumps({"actor": actor, "at": self._now()})
        self._store.run("HSET", key(gallery, "asides"), _pair(one, other), told)

    def take_back(self, gallery: str, one: str, other: str) -> None:
        """Ask it again."""
        self._store.run("HDEL", key(gallery, "asides"), _pair(one, other))

    def those(self, gallery: str) -> frozenset[str]:
        """Return the skipped pairs; see `is_in`."""
        found = self._store.run("HGETALL", key(gallery, "asides"))
        oldest = self._now() - KEPT_SECONDS
        return frozenset(
            pair.decode() for pair, told in found.items() if json.loads(told)["at"] > oldest
        )


def is_in(skipped_questions: frozenset[str], question: Question) -> bool:
    """Return whether a question is skipped."""
    return _pair(question.sighting_of_one, question.sighting_of_other) in skipped_questions


def _pair(one: str, other: str) -> str:
    return " ".join(sorted((one, other)))
