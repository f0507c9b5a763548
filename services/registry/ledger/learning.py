"""The latest attempt to learn from a ledger's animals, for the pages."""

import json
from dataclasses import asdict, dataclass

from services.registry.ledger.store import Store

LATEST = "resight:learning"


@dataclass(frozen=True)
class Learning:
    """An attempt: when it ended, in seconds since 1970, whether its model was taken, and why.

    `entries`: of the whole ledger when it began.
    """

    at: float
    taken: bool
    told: str
    entries: int


def keep(store: Store, attempt: Learning) -> None:
    """Keep an attempt instead of the one before. May raise Transient."""
    store.run("SET", LATEST, json.dumps(asdict(attempt)))


def latest(store: Store) -> Learning | None:
    """Return the latest attempt, if any. May raise Transient."""
    stored = store.run("GET", LATEST)
    return None if stored is None else Learning(**json.loads(stored))
