"""The audit log: every security-relevant action, by whom and from where; never a secret.

Each is also logged by the process. Refused keys are kept separately, so that trying many cannot
push out other actions.
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
# Number kept of each.
KEPT = 20_000
MOST_TEXT = 300
# Actor of commands on the ledger's machine.
COMMAND_LINE = "command line"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Act:
    """One security-relevant action.

    who: the name of the key, 'local' without keys, 'command line' for a command; '': nobody
    key: the ID of the key
    about: its object
    status: the HTTP status of the response; 0: not a request
    """

    at: float
    act: str
    who: str
    key: str = ""
    address: str = ""
    about: str = ""
    status: int = 0


class AuditLog:
    """Actions in the ledger's store."""

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
        """Record an action. If the store does not respond, only the process's log has it."""
        done = Act(self._now(), act, who, key, address, about[:MOST_TEXT], status)
        told = json.dumps(asdict(done))
        log.info("audit: %s", told)
        try:
            kept = REFUSED if refused else DONE
            self._store.run("ZADD", kept, repr(done.at), told)
            self._store.run("ZREMRANGEBYRANK", kept, 0, -KEPT - 1)
        except Transient as away:
            log.error(
                "the audit log misses an action because its store does not respond: %s: %s",
                told,
                away,
            )

    def latest(self, most: int = 200, *, refused: bool = False) -> list[Act]:
        """Return the latest actions, newest first. May raise Transient."""
        found = self._store.run("ZREVRANGE", REFUSED if refused else DONE, 0, most - 1)
        return [Act(**json.loads(told)) for told in found]
