"""How much a capture may hold, checked before anything is done with it."""

from shared.errors import Poison

MAX_ANIMALS = 64

# No camera's clock is more wrong than a century.
MOST_CORRECTED_SECONDS = 36_525 * 86_400

# Names of species, cameras, sequences and files; whatever is longer is something else.
MAX_TEXT = 200


def check_count(count: int, most: int) -> None:
    """Check that a capture does not hold too many animals, before anything is done with them.

    Raises:
        Poison: of kind too-many-animals.
    """
    if count > most:
        raise Poison(
            f"the capture holds {count} animals, more than the {most} allowed; leave out "
            "detections of low confidence, or raise RESIGHT_EMBEDDER_MAX_ANIMALS",
            kind="too-many-animals",
            sightings=count,
        )


def check_text(name: str, text: str, sightings: int) -> None:
    """Check that a name is one that people can read, and no longer than names are.

    It becomes a part of keys and of lines on terminals.

    Raises:
        Poison: of kind bad-text.
    """
    if len(text) > MAX_TEXT:
        raise Poison(
            f"{name} has {len(text)} characters and begins {text[:40]!r}; {MAX_TEXT} are the most: "
            "give a name, and keep notes elsewhere",
            kind="bad-text",
            sightings=sightings,
        )
    if not text.isprintable():
        raise Poison(
            f"{name} is {text!r}, with characters that can't be shown; give a name in letters, "
            "digits and signs",
            kind="bad-text",
            sightings=sightings,
        )
