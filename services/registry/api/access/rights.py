"""Who may ask what: the one table that every route stands in, and is refused without.

The guard goes by it before it reads a body, so no handler decides who may call it. What of a list a
key sees is decided by `Person` (see `access.py`), which handlers ask for each item.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from starlette.routing import compile_path

from services.registry.api.access.keys import Person, Role
from services.registry.api.limits.turns import Turn

# anybody: without a key. own: what of it the key's galleries allow. gallery: the gallery of the
# path must be one of the key's. all: only a key that is bound to no gallery.
Reach = Literal["anybody", "own", "gallery", "all"]
# What a request may carry, from a form's few fields to a ZIP of pictures.
Body = Literal["small", "picture", "catalogue"]


@dataclass(frozen=True)
class Right:
    """What one route takes.

    role: the least role that may call it; None: no key is needed
    body: how large its body may be
    act: what the audit log calls it; '': it is not security-relevant
    turn: of which long work it is, that is not done too often at once
    """

    method: str
    path: str
    role: Role | None
    reach: Reach
    body: Body = "small"
    act: str = ""
    turn: Turn = ""

    def refusal(self, person: Person | None, parts: Mapping[str, str]) -> tuple[int, str] | None:
        """Return the status and the reason why somebody may not call it; None: they may.

        parts: the path's, as it names them
        """
        if self.role is None:
            return None
        if person is None:
            return 401, (
                "send a key as 'Authorization: Bearer resight_…'; an admin makes one with "
                "`resight keys add`"
            )
        if self.reach == "gallery":
            name = f"{parts['population']}/{parts['species']}"
            if not person.sees(name):
                return 404, f"there is no gallery {name} that your key may see"
        if not person.may(self.role):
            return 403, f"this takes the role {self.role}, and your key is a {person.role}'s"
        if self.reach == "all" and person.galleries:
            return 403, "this concerns all galleries, and your key is bound to some of them"
        return None


_GALLERY = "/api/v1/galleries/{population}/{species}"
_PAGE = "/g/{population}/{species}"

RIGHTS = (
    Right("GET", "/api/v1/openapi.json", None, "anybody"),
    Right("GET", "/static/{path:path}", None, "anybody"),
    Right("GET", "/sign-in", None, "anybody"),
    Right("POST", "/sign-in", None, "anybody", act="sign in"),
    Right("POST", "/sign-out", None, "anybody", act="sign out"),
    # Catalogue
    Right("GET", "/", "reader", "own"),
    Right("GET", "/live", "reader", "own"),
    Right("GET", "/api/v1/live", "reader", "own"),
    Right("GET", "/api/v1/galleries", "reader", "own"),
    Right("GET", _GALLERY, "reader", "gallery"),
    Right("GET", _GALLERY + "/individuals", "reader", "gallery"),
    Right("GET", _GALLERY + "/individuals/{individual}", "reader", "gallery"),
    Right("GET", _GALLERY + "/sightings", "reader", "gallery"),
    Right("GET", _GALLERY + "/sightings/{sighting}", "reader", "gallery"),
    Right("GET", _GALLERY + "/sightings/{sighting}/crop", "reader", "gallery"),
    Right("GET", _GALLERY + "/questions", "reader", "gallery"),
    Right("GET", _GALLERY + "/entries", "reader", "gallery"),
    Right("GET", _GALLERY + "/entries/{number}", "reader", "gallery"),
    Right("GET", _GALLERY + "/pairs/{one}/{other}/matches", "reader", "gallery", turn="ask"),
    Right("GET", _GALLERY + "/export", "reader", "gallery", act="export", turn="export"),
    Right("POST", _GALLERY + "/search", "reader", "gallery", "picture", turn="ask"),
    Right("GET", _PAGE, "reader", "gallery"),
    Right("GET", _PAGE + "/questions", "reader", "gallery"),
    Right("GET", _PAGE + "/individuals/{individual}", "reader", "gallery"),
    Right("GET", _PAGE + "/sightings/{sighting}", "reader", "gallery"),
    Right("GET", _PAGE + "/who", "reader", "gallery"),
    Right("POST", _PAGE + "/who", "reader", "gallery", "picture", turn="ask"),
    # Review
    Right("POST", _GALLERY + "/operations", "reviewer", "gallery"),
    Right("POST", _PAGE + "/questions", "reviewer", "gallery"),
    Right("POST", _PAGE + "/undo", "reviewer", "gallery"),
    Right("POST", _PAGE + "/individuals/{individual}", "reviewer", "gallery"),
    # Catalogues that people bring
    Right("GET", "/api/v1/imports", "reviewer", "own"),
    Right("POST", "/api/v1/imports", "reviewer", "own", "catalogue", "bring a catalogue"),
    Right("GET", "/api/v1/imports/{identifier}", "reviewer", "own"),
    Right("DELETE", "/api/v1/imports/{identifier}", "reviewer", "own", act="give up an import"),
    Right(
        "POST", "/api/v1/imports/{identifier}/enrol", "reviewer", "own", act="agree to an import"
    ),
    Right("GET", "/api/v1/imports/{identifier}/left-out.csv", "reviewer", "own"),
    Right("GET", "/imports", "reviewer", "own"),
    Right("POST", "/imports", "reviewer", "own", "catalogue", "bring a catalogue"),
    Right("GET", "/imports/{identifier}", "reviewer", "own"),
    Right("POST", "/imports/{identifier}", "reviewer", "own", act="decide about an import"),
    # Alerts
    Right("GET", "/alerts", "reader", "own"),
    Right("POST", "/alerts", "admin", "own", act="change alert rules"),
    Right("GET", "/api/v1/alerts", "reader", "own"),
    Right("GET", "/api/v1/alerts/rules", "reader", "own"),
    Right("POST", "/api/v1/alerts/rules", "admin", "own", act="make an alert rule"),
    Right(
        "DELETE", "/api/v1/alerts/rules/{identifier}", "admin", "own", act="remove an alert rule"
    ),
    Right("POST", "/api/v1/alerts/{identifier}/again", "admin", "own", act="send an alert again"),
    # Keys
    Right("GET", "/api/v1/keys", "admin", "own"),
    Right("POST", "/api/v1/keys", "admin", "own", act="make a key"),
    Right("DELETE", "/api/v1/keys/{identifier}", "admin", "own", act="remove a key"),
    # What is of all galleries
    Right("GET", "/letters", "reader", "all", turn="export"),
    Right("POST", "/letters", "admin", "all", act="replay dead letters", turn="export"),
    Right("GET", "/letters/{topic}/{partition}/{offset}/picture", "reader", "all", turn="draw"),
    Right("GET", "/places", "admin", "all"),
    Right("POST", "/places", "admin", "all", act="say how places are told"),
    Right("GET", "/api/v1/places", "admin", "all"),
    Right("PUT", "/api/v1/places/{species}", "admin", "all", act="say how places are told"),
    Right("DELETE", "/api/v1/places/{species}", "admin", "all", act="say how places are told"),
    Right("GET", "/audit", "admin", "all"),
    Right("GET", "/api/v1/audit", "admin", "all"),
)


@dataclass(frozen=True)
class Asked:
    """What a request asks for: its right, and the parts of its path."""

    right: Right
    parts: Mapping[str, str]


class Rights:
    """Finds the right of a request.

    allowed: the methods of a path, for a request with another one
    """

    def __init__(self, rights: tuple[Right, ...] = RIGHTS) -> None:
        patterns = [(compile_path(right.path)[0], right) for right in rights]
        # A path without parts is meant before one that it would be a part of.
        self._patterns: list[tuple[re.Pattern[str], Right]] = sorted(
            patterns, key=lambda each: each[1].path.count("{")
        )

    def asked(self, method: str, path: str) -> Asked | None:
        """Return what a request asks for; None: nothing that there is."""
        wanted = "GET" if method == "HEAD" else method
        for pattern, right in self._patterns:
            if right.method == wanted and (found := pattern.fullmatch(path)):
                return Asked(right, found.groupdict())
        return None

    def allowed(self, path: str) -> list[str]:
        """Return with which methods a path may be asked for."""
        return sorted(
            {right.method for pattern, right in self._patterns if pattern.fullmatch(path)}
        )
