"""Names of collections and folders, one for each model."""

import hashlib

from shared.identifiers import slug

# Prefix of every collection's name; other systems may share the server.
SHELVES = "resight-"
# Of those that hold descriptors.
LOCAL = f"{SHELVES}local-"


def collection_name(model: str) -> str:
    """Return a valid collection or folder name for a model."""
    digest = hashlib.sha256(model.encode()).hexdigest()[:12]
    plain = slug(model).encode("ascii", "ignore").decode()[:80]
    return f"{SHELVES}{plain}-{digest}"


def local_name(extractor: str) -> str:
    """Return a valid collection or folder name for an extractor's descriptors."""
    return LOCAL + collection_name(extractor).removeprefix(SHELVES)
