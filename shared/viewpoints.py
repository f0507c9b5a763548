"""Which views of an animal may be compared at all."""

from shared.messages import VIEWPOINT_LEFT, VIEWPOINT_RIGHT, Viewpoint

_OPPOSITE = {VIEWPOINT_LEFT: VIEWPOINT_RIGHT, VIEWPOINT_RIGHT: VIEWPOINT_LEFT}


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
