"""The ledger's epoch: one life of it, from its beginning or a restore to the next.

A restored ledger gives numbers again that it gave before the loss, to other sightings. So every
decision, enrolment and list of candidates carries the epoch, and numbers of two epochs are never
compared. Epochs are ordered: the later one holds.
"""

import secrets
import time

from services.registry.ledger.keys import GALLERIES
from services.registry.ledger.store import Store

EPOCH = "resight:epoch"


def new_epoch(after: str = "", now: float | None = None) -> str:
    """Return a new epoch that is later than another: milliseconds since 1970, and a random part."""
    milliseconds = round(1000 * (time.time() if now is None else now))
    before, _, _ = after.partition("-")
    if before:
        milliseconds = max(milliseconds, int(before, 16) + 1)
    return f"{milliseconds:012x}-{secrets.token_hex(8)}"


def renew(store: Store, after: str = "") -> str:
    """Begin a new epoch, later than the store's own and another one; return it.

    What the broker is known to have is of an earlier epoch, so it is to be published again.
    """
    own = (store.run("GET", EPOCH) or b"").decode()
    new = new_epoch(max(own, after))
    store.run("SET", EPOCH, new)
    return new


def begin(store: Store) -> str:
    """Return the store's epoch; an empty ledger gets one, one of an earlier version has ''."""
    found = store.run("GET", EPOCH)
    if found is None:
        new = "" if store.run("EXISTS", GALLERIES) else new_epoch()
        store.run("SET", EPOCH, new, "NX")
        found = store.run("GET", EPOCH)
    return str(found.decode())
