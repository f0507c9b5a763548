"""The frame of all pages: navigation, and formats of times and numbers."""

import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.registry.api.access.keys import Person
from services.registry.api.context import LOCAL, ApiContext
from services.registry.imports.register import State
from services.registry.ledger.individual_overview import IndividualOverview, SightingOverview
from shared.identifiers import split_gallery

HERE = Path(__file__).parents[1]
STATIC = HERE / "static"


# Labels of operations.
WORDS = {
    "same": "Same animal.",
    "different": "Different animals.",
    "merge": "Merged.",
    "tell_apart": "All different.",
    "move": "Moved.",
    "confirm": "Confirmed as separate.",
    "unidentifiable": "Unidentifiable.",
    "undo": "Undone.",
}


IMPORT_STATES: dict[State, str] = {
    "reading": "Reading",
    "planned": "Awaiting confirmation",
    "enrolling": "Enrolling",
    "done": "Enrolled",
    "given up": "Discarded",
    "failed": "Failed",
    "lost": "Interrupted",
}


def page(
    request: Request,
    at: ApiContext,
    person: Person | None,
    template: str,
    *,
    code: int = 200,
    **shown: Any,
) -> HTMLResponse:
    """Return a page; `shown` is its template's context."""
    galleries = [] if person is None else [n for n in at.catalogue.names() if person.sees(n)]
    text = (
        _environment()
        .get_template(template)
        .render(
            path=request.url.path,
            person=person,
            local=person == LOCAL,
            galleries=galleries,
            gallery=shown.pop("gallery", ""),
            **shown,
        )
    )
    return HTMLResponse(text, code)


def gallery_path(gallery: str) -> str:
    """Return the path of a gallery's page."""
    return f"/g/{quote(gallery)}"


def individual_path(gallery: str, individual: str) -> str:
    """Return the path of an individual's page."""
    return f"{gallery_path(gallery)}/individuals/{quote(individual, safe='')}"


def sighting_path(gallery: str, sighting: str) -> str:
    """Return the path of a sighting's page."""
    return f"{gallery_path(gallery)}/sightings/{quote(sighting, safe='')}"


def picture_path(gallery: str, seen: SightingOverview, size: str = "320") -> str:
    """Return the path of a sighting's crop."""
    name = quote(seen.id, safe="")
    return f"/api/v1/galleries/{quote(gallery)}/sightings/{name}/crop?size={size}"


def day(seconds: float) -> str:
    """Return a date for people, UTC."""
    return f"{_at(seconds):%-d\N{NO-BREAK SPACE}%b\N{NO-BREAK SPACE}%Y}"


def clock(seconds: float) -> str:
    """Return date and time for people, UTC."""
    return f"{day(seconds)}, {_at(seconds):%H:%M}"


def taken(seconds: float | None) -> str:
    """Return when a picture was taken, for people."""
    return "time unknown" if seconds is None else clock(seconds)


def period(individual: IndividualOverview) -> str:
    """Return when an individual was seen, for people."""
    if individual.first is None or individual.last is None:
        return "time unknown"
    first, last = day(individual.first), day(individual.last)
    return first if first == last else f"{first} to {last}"


def machine(seconds: float) -> str:
    """Return a time for <time datetime>."""
    return _at(seconds).isoformat()


def percent(share: float) -> str:
    """Return a probability in percent, never rounded to 0 or 100."""
    if share > 0.99:
        return "> 99 %"
    return "< 1 %" if share < 0.01 else f"{share:.0%}".replace("%", " %")


def counted(number: int, word: str, words: str = "") -> str:
    """Return a number with its noun: 1 sighting, 2 sightings."""
    return f"{number:,} {word if number == 1 else words or word + 's'}"


def called(gallery: str) -> str:
    """Return a gallery's title: its species, and its population if named."""
    population, species = split_gallery(gallery)
    title = species.replace("-", " ").capitalize()
    return title if population == "default" else f"{title} · {population}"


def sentence(text: str) -> str:
    """Return a text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


@cache
def version(name: str) -> str:
    """Return the path of a static file with a content hash."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        day=day,
        clock=clock,
        taken=taken,
        period=period,
        machine=machine,
        percent=percent,
        called=called,
        sentence=sentence,
    )
    made.globals.update(
        static=version,
        counted=counted,
        gallery_path=gallery_path,
        individual_path=individual_path,
        sighting_path=sighting_path,
        picture_path=picture_path,
        words=WORDS,
        import_states=IMPORT_STATES,
    )
    return made


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
