"""Names of the ledger's keys and individuals."""

from shared.identifiers import DEFAULT_POPULATION, split_gallery

GALLERIES = "resight:galleries"
PLACES = "resight:places"
# Set with the first API key and never removed: from then on every access needs a key.
KEYED = "resight:keyed"
# Members '<deployment>\n<row> <column>': cells in which a camera took pictures.
CAMERAS = "resight:cameras"

# In the order of `ledger.lua`'s KEYS; its header documents each.
NAMES = (
    "entries",
    "decided",
    "enrolments",
    "members",
    "groups",
    "successors",
    "revisions",
    "records",
    "standings",
    "bonds",
    "undone",
    "questions",
    "captures",
    "encounters",
    "counters",
    "outbox",
    "proofs",
    "labels",
    "lease",
    "deployments",
)


def individual_prefix(gallery: str) -> str:
    """Return the prefix of a gallery's individual IDs: `[population.]species`."""
    population, species = split_gallery(gallery)
    return species if population == DEFAULT_POPULATION else f"{population}.{species}"


def key(gallery: str, name: str) -> str:
    """Return one key of a gallery; a gallery's keys share a hash tag."""
    return f"resight:{{{gallery}}}:{name}"


def group(gallery: str, individual: str) -> str:
    """Return the key of an individual's list of sightings."""
    return f"{key(gallery, 'groups')}:{individual}"


def keys(gallery: str) -> list[str]:
    """Return a gallery's keys in the order of `ledger.lua`."""
    return [key(gallery, name) for name in NAMES]
