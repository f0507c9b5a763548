"""Migrates a ledger of an earlier version. An interrupted migration resumes."""

from itertools import islice

from services.registry.identity.view import NOTHING, image_of
from services.registry.ledger.camera_cells import camera_cell
from services.registry.ledger.keys import CAMERAS, PLACES, key, keys
from services.registry.ledger.reader import CHUNK, LedgerReader
from services.registry.ledger.store import Store
from shared.messages import Place

# Version of a gallery's format; see `ledger.lua`.
FORM = 2


def bring_up(ledger: LedgerReader, gallery: str) -> None:
    """Migrate a gallery to this version's format. May raise Transient."""
    if not ledger.count(gallery, "entries"):
        return
    store = ledger.store
    if ledger.count(gallery, "form") < FORM:
        names = store.run("HKEYS", key(gallery, "groups"))
        for start in range(0, len(names), CHUNK):
            store.call("regroup", keys(gallery), *names[start : start + CHUNK])
        store.run("HSET", key(gallery, "counters"), "form", FORM)
    members, records = (store.run("HLEN", key(gallery, name)) for name in ("members", "records"))
    if records < members:
        _adopt(ledger, gallery)
    if not ledger.deployments(gallery):
        _adopt_cameras(ledger, gallery)


def keep_place(store: Store, image_sha256: str, place: Place, deployment: str) -> None:
    """Store an image's location, and thereby its camera's."""
    store.run("HSET", PLACES, image_sha256, place.SerializeToString(deterministic=True))
    row, column = camera_cell(place)
    store.run("SADD", CAMERAS, f"{deployment}\n{row} {column}")


def _adopt(ledger: LedgerReader, gallery: str) -> None:
    """Create the records of sightings."""
    enrolled = (
        part
        for entry in ledger.entries(gallery)
        if entry.decision.enrolment_number
        for part in (
            entry.decision.sighting_id,
            image_of(entry.decision),
            entry.decision.enrolment_number,
        )
    )
    while chunk := list(islice(enrolled, 3 * CHUNK)):
        ledger.store.call("adopt", keys(gallery), NOTHING.pack(), *chunk)


def _adopt_cameras(ledger: LedgerReader, gallery: str) -> None:
    """Store the cameras of sightings, and their cells."""
    for decisions in ledger.chunks(gallery, 1, ledger.count(gallery, "entries")):
        seen = {each.image_sha256: each.deployment for each in decisions if each.deployment}
        for image, place in ledger.places([*seen]).items():
            keep_place(ledger.store, image, place, seen[image])
        if seen:
            ledger.store.run("SADD", key(gallery, "deployments"), *sorted({*seen.values()}))
