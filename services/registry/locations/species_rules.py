"""What admins have said of species: how coarsely their places are told, or as which they count."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from services.registry.ledger.store import Store
from shared.identifiers import slug

SAID = "resight:species-places"


@dataclass(frozen=True)
class SpeciesRule:
    """What somebody said of a species.

    kilometres: the size of the cells that its places are told by; 0: exactly
    like: another species as which it counts; '': none
    """

    kilometres: float
    like: str
    by: str
    at: float


class SpeciesRules:
    """What was said, in the ledger's store. Every method may raise Transient."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def all(self) -> dict[str, SpeciesRule]:
        """Return what was said, by the species' names in galleries."""
        stored = self._store.run("HGETALL", SAID)
        return {name.decode(): SpeciesRule(**json.loads(told)) for name, told in stored.items()}

    def say(self, species: str, by: str, kilometres: float = 0.0, like: str = "") -> None:
        """Say how coarsely a species is told, or as which it counts."""
        told = SpeciesRule(kilometres, slug(like), by, self._now())
        self._store.run("HSET", SAID, slug(species), json.dumps(asdict(told)))

    def take_back(self, species: str) -> bool:
        """Take back what was said of a species; return whether there was anything."""
        return bool(self._store.run("HDEL", SAID, slug(species)))
