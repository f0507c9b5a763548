"""How the ledger's keys are called, and the individuals in them."""

from shared.identifiers import DEFAULT_POPULATION, split_gallery

GALLERIES = "resight:galleries"
PLACES = "resight:places"
# Set with the first API key, and never again unset: from then on nobody gets in without one.
KEYED = "resight:keyed"
# Members '<deployment>\n<row> <column>': in which cells its pictures were taken.
CAMERAS = "resight:cameras"

# In the order in which a call of `ledger.lua` gets them; its header says what each holds.
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
    """Return what the IDs of a gallery's individuals begin with: `[population.]species`."""
    population, species = split_gallery(gallery)
    return species if population == DEFAULT_POPULATION else f"{population}.{species}"


def key(gallery: str, name: str) -> str:
    """Return one key of a gallery; a gallery's keys share a hash tag."""
    return f"resight:{{{gallery}}}:{name}"


def group(gallery: str, individual: str) -> str:
    """Return the key of the list of an individual's sightings."""
    return f"{key(gallery, 'groups')}:{individual}"


def keys(gallery: str) -> list[str]:
    """Return a gallery's keys as `ledger.lua` takes them."""
    return [key(gallery, name) for name in NAMES]
