"""The audit log: every security-relevant act, who did it and from where; never a secret.

Each act is a line of the process's log, too. Refused keys are kept apart, so that whoever tries
many can't push out what was done.
"""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from services.registry.ledger.store import Store
from shared.errors import Transient

DONE = "resight:audit"
REFUSED = "resight:audit:refused"
# So many of each are kept.
KEPT = 20_000
MOST_TEXT = 300
# Who does it at the machine of the ledger.
COMMAND_LINE = "command line"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Act:
    """What somebody did.

    who: the name of their key, 'local' without keys, 'command line' for a command; '': nobody
    key: the ID of their key
    about: what it was done to
    status: the HTTP status of the answer; 0: it was no request
    """

    at: float
    act: str
    who: str
    key: str = ""
    address: str = ""
    about: str = ""
    status: int = 0


class AuditLog:
    """Acts in the ledger's store."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def note(
        self,
        act: str,
        who: str,
        *,
        key: str = "",
        address: str = "",
        about: str = "",
        status: int = 0,
        refused: bool = False,
    ) -> None:
        """Keep an act. If the store does not answer, the process's log alone has it."""
        done = Act(self._now(), act, who, key, address, about[:MOST_TEXT], status)
        told = json.dumps(asdict(done))
        log.info("audit: %s", told)
        try:
            kept = REFUSED if refused else DONE
            self._store.run("ZADD", kept, repr(done.at), told)
            self._store.run("ZREMRANGEBYRANK", kept, 0, -KEPT - 1)
        except Transient as away:
            log.error("the audit log lacks this act, as its store is away: %s: %s", told, away)

    def latest(self, most: int = 200, *, refused: bool = False) -> list[Act]:
        """Return the latest acts, the newest first. May raise Transient."""
        found = self._store.run("ZREVRANGE", REFUSED if refused else DONE, 0, most - 1)
        return [Act(**json.loads(told)) for told in found]
