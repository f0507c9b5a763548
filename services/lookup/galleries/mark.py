"""Progress of a gallery, and the name under which its enrolments are stored."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """Progress of a gallery: all enrolments up to `watermark` of an epoch are searchable."""

    epoch: str = ""
    watermark: int = 0


def collection_of(gallery: str, epoch: str) -> str:
    """Return the name under which an epoch's enrolments of a gallery are stored."""
    return f"{gallery} {epoch}" if epoch else gallery
