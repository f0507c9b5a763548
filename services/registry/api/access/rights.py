"""Access rights: the one table of all routes; a route without an entry is refused.

The guard checks it before reading a body, so handlers need no role checks. Which items of a list a
key may see is decided by `Person` (see `keys.py`), per item.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from starlette.routing import compile_path

from services.registry.api.access.keys import Person, Role
from services.registry.api.limits.turns import Turn

# anybody: no key needed. own: limited to the key's galleries. gallery: the gallery of the path must
# be one of the key's. all: only keys that are bound to no gallery.
Reach = Literal["anybody", "own", "gallery", "all"]
# Maximum body sizes, from a form's few fields to a ZIP of pictures.
Body = Literal["small", "picture", "catalogue"]


@dataclass(frozen=True)
class Right:
    """The right required by one route.

    role: minimum role; None: no key needed
    body: maximum body size
    act: its name in the audit log; '': not logged
    turn: its class of long-running work, with limited concurrency
    """

    method: str
    path: str
    role: Role | None
    reach: Reach
    body: Body = "small"
    act: str = ""
    turn: Turn = ""

    def refusal(self, person: Person | None, parts: Mapping[str, str]) -> tuple[int, str] | None:
        """Return status and reason if a user may not call it; None if they may.

        parts: the path's parameters
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
            return 403, f"this needs the role {self.role}; your key has the role {person.role}"
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
    Right("POST", _PAGE, "reviewer", "gallery"),
    Right("POST", _PAGE + "/questions", "reviewer", "gallery"),
    Right("POST", _PAGE + "/undo", "reviewer", "gallery"),
    Right("POST", _PAGE + "/individuals/{individual}", "reviewer", "gallery"),
    # Imports
    Right("GET", "/api/v1/imports", "reviewer", "own"),
    Right("POST", "/api/v1/imports", "reviewer", "own", "catalogue", "bring a catalogue"),
    Right("GET", "/api/v1/imports/{identifier}", "reviewer", "own"),
    Right("DELETE", "/api/v1/imports/{identifier}", "reviewer", "own", act="cancel an import"),
    Right("POST", "/api/v1/imports/{identifier}/enrol", "reviewer", "own", act="approve an import"),
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
    # All galleries
    Right("GET", "/letters", "reader", "all", turn="export"),
    Right("POST", "/letters", "admin", "all", act="replay dead letters", turn="export"),
    Right("GET", "/letters/{topic}/{partition}/{offset}/picture", "reader", "all", turn="draw"),
    Right("GET", "/places", "admin", "all"),
    Right("POST", "/places", "admin", "all", act="set location masking"),
    Right("GET", "/api/v1/places", "admin", "all"),
    Right("PUT", "/api/v1/places/{species}", "admin", "all", act="set location masking"),
    Right("DELETE", "/api/v1/places/{species}", "admin", "all", act="set location masking"),
    Right("GET", "/audit", "admin", "all"),
    Right("GET", "/api/v1/audit", "admin", "all"),
)


@dataclass(frozen=True)
class RequestedRight:
    """A request's right, and the parameters of its path."""

    right: Right
    parts: Mapping[str, str]


class Rights:
    """Finds the right of a request.

    allowed: methods of a path, for requests with another method
    """

    def __init__(self, rights: tuple[Right, ...] = RIGHTS) -> None:
        patterns = [(compile_path(right.path)[0], right) for right in rights]
        # Paths without parameters take precedence.
        self._patterns: list[tuple[re.Pattern[str], Right]] = sorted(
            patterns, key=lambda each: each[1].path.count("{")
        )

    def requested(self, method: str, path: str) -> RequestedRight | None:
        """Return the right and parameters of a request; None: no such route."""
        wanted = "GET" if method == "HEAD" else method
        for pattern, right in self._patterns:
            if right.method == wanted and (found := pattern.fullmatch(path)):
                return RequestedRight(right, found.groupdict())
        return None

    def allowed(self, path: str) -> list[str]:
        """Return the methods of a path."""
        return sorted(
            {right.method for pattern, right in self._patterns if pattern.fullmatch(path)}
        )
