"""Limits of a capture, checked before anything else."""

from shared.errors import Poison

MAX_ANIMALS = 64

# No camera's clock is wrong by more than a century.
MOST_CORRECTED_SECONDS = 36_525 * 86_400

# Limit for names of species, cameras, sequences and files.
MAX_TEXT = 200


def check_count(count: int, most: int) -> None:
    """Check that a capture does not hold too many animals.

    Raises:
        Poison: of kind too-many-animals.
    """
    if count > most:
        raise Poison(
            f"the capture has {count} animals; the limit is {most}. Leave out detections of low "
            "confidence, or split the picture",
            kind="too-many-animals",
            sightings=count,
        )


def check_text(name: str, text: str, sightings: int) -> None:
    """Check that a name is printable and not too long.

    It becomes part of keys and of terminal output.

    Raises:
        Poison: of kind bad-text.
    """
    if len(text) > MAX_TEXT:
        raise Poison(
            f"{name} has {len(text)} characters (it begins {text[:40]!r}); the limit is "
            f"{MAX_TEXT}. Send a name, and keep notes elsewhere",
            kind="bad-text",
            sightings=sightings,
        )
    if not text.isprintable():
        raise Poison(
            f"{name} is {text!r}, which has unprintable characters; use letters, digits and "
            "punctuation",
            kind="bad-text",
            sightings=sightings,
        )
