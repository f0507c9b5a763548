"""The ledger's epoch: from its creation or a restore to the next restore.

A restored ledger reuses numbers for other sightings. So every decision, enrolment and candidate
list carries the epoch, and numbers of different epochs are never compared. Epochs are ordered; the
latest counts.
"""

import secrets
import time

from services.registry.ledger.keys import GALLERIES
from services.registry.ledger.store import Store

EPOCH = "resight:epoch"


def new_epoch(after: str = "", now: float | None = None) -> str:
    """Return a new epoch later than another: milliseconds since 1970, and a random part."""
    milliseconds = round(1000 * (time.time() if now is None else now))
    before, _, _ = after.partition("-")
    if before:
        milliseconds = max(milliseconds, int(before, 16) + 1)
    return f"{milliseconds:012x}-{secrets.token_hex(8)}"


def renew(store: Store, after: str = "") -> str:
    """Begin a new epoch, later than the store's and another one; return it.

    All entries count as unpublished, because the broker has them in an earlier epoch.
    """
    own = (store.run("GET", EPOCH) or b"").decode()
    new = new_epoch(max(own, after))
    store.run("SET", EPOCH, new)
    return new


def begin(store: Store) -> str:
    """Return the store's epoch; a new ledger gets one, one of an earlier version has ''."""
    found = store.run("GET", EPOCH)
    if found is None:
        new = "" if store.run("EXISTS", GALLERIES) else new_epoch()
        store.run("SET", EPOCH, new, "NX")
        found = store.run("GET", EPOCH)
    return str(found.decode())
