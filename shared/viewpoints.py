"""Viewpoints: names, and which may be compared."""

from shared.messages import (
    VIEWPOINT_BACK,
    VIEWPOINT_FRONT,
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    VIEWPOINT_TOP,
    VIEWPOINT_UNSPECIFIED,
    Viewpoint,
)

_NAMED = {
    "left": VIEWPOINT_LEFT,
    "right": VIEWPOINT_RIGHT,
    "front": VIEWPOINT_FRONT,
    "back": VIEWPOINT_BACK,
    "top": VIEWPOINT_TOP,
}
_UNKNOWN = frozenset({"", "unknown", "unspecified", "other"})
_OPPOSITE = {VIEWPOINT_LEFT: VIEWPOINT_RIGHT, VIEWPOINT_RIGHT: VIEWPOINT_LEFT}


def named(word: str) -> Viewpoint:
    """Return the viewpoint of a name such as 'left'; unknown names are unspecified."""
    return _NAMED.get(word.strip().lower(), VIEWPOINT_UNSPECIFIED)


def understood(word: str) -> bool:
    """Return whether a text is a viewpoint name, or says that it is unknown."""
    return word.strip().lower() in _NAMED or word.strip().lower() in _UNKNOWN


def opposite(viewpoint: Viewpoint) -> Viewpoint | None:
    """Return the one viewpoint that `viewpoint` can't be compared with, if there is one.

    Left and right flanks carry different coats, and comparing them is chance
    (nyala: R-1 .017 on the opposite flank against .23 on the same). Every other
    pair stays comparable, so that nothing is hidden from an unlabelled animal.
    """
    return _OPPOSITE.get(viewpoint)


def compatible(one: Viewpoint, other: Viewpoint) -> bool:
    """Return whether sightings from these two viewpoints may show the same coat."""
    return opposite(one) != other
