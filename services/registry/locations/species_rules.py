"""Admins' rules for species: location masking, or the other species whose rule applies."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from services.registry.ledger.store import Store
from shared.identifiers import slug

SAID = "resight:species-places"


@dataclass(frozen=True)
class SpeciesRule:
    """A rule for a species.

    kilometres: size of the grid cells; 0: exact
    like: another species whose rule applies; '': none
    """

    kilometres: float
    like: str
    by: str
    at: float


class SpeciesRules:
    """Rules in the ledger's store. Every method may raise Transient."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def all(self) -> dict[str, SpeciesRule]:
        """Return all rules, by species."""
        stored = self._store.run("HGETALL", SAID)
        return {name.decode(): SpeciesRule(**json.loads(told)) for name, told in stored.items()}

    def say(self, species: str, by: str, kilometres: float = 0.0, like: str = "") -> None:
        """Set a species' rule."""
        told = SpeciesRule(kilometres, slug(like), by, self._now())
        self._store.run("HSET", SAID, slug(species), json.dumps(asdict(told)))

    def take_back(self, species: str) -> bool:
        """Remove a species' rule; return whether there was one."""
        return bool(self._store.run("HDEL", SAID, slug(species)))
