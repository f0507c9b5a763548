"""Pages of an individual with all its sightings, and of a sighting with its evidence."""

from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from services.registry.api.context import Context, CurrentUser, Named
from services.registry.api.json.reading import entry_answer, found_sighting
from services.registry.api.json.schemas import (
    Confirm,
    EntryAnswer,
    Move,
    OfSeveral,
    Saying,
    Unidentifiable,
)
from services.registry.api.json.writing import written
from services.registry.api.pages.charts import timeline
from services.registry.api.pages.frame import individual_path, page
from services.registry.api.pages.questions import rivals_of
from services.registry.api.problem import refusal
from services.registry.ledger.individual_overview import SightingOverview
from services.registry.ledger.overview import GalleryOverview

router = APIRouter(include_in_schema=False)

_PATH = "/g/{population}/{species}"


class Doing(BaseModel):
    """Form data of an individual's page. `sightings`: the selected ones."""

    kind: Literal["merge", "split", "move", "confirm", "unidentifiable"]
    identifier: str = Field(min_length=1, max_length=100)
    sightings: list[str] = Field(default=[], max_length=1000)
    into: str = Field("", max_length=200)
    reason: str = Field("", max_length=2000)


@router.get(_PATH + "/individuals/{individual}")
def individual(
    request: Request,
    name: Named,
    individual: str,
    person: CurrentUser,
    at: Context,
    *,
    said: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Response:
    """Show an individual; for a merged one, the individual it became."""
    with at.catalogue.gallery(name) as shown:
        now = shown.became(individual)
        if not now:
            raise refusal(404, f"{name} has no individual {individual}")
        if now != individual:
            return RedirectResponse(individual_path(name, now), 303)
        animal = shown.individual(now)
        flanks = _flanks(animal.sightings)
        rivals = rivals_of(shown, at.skipped_questions.those(name), now)
        status, numbers = shown.status(now), list(shown.history(now))[-50:]
        others = [each for each in shown.names() if each != now]
    history = [
        entry_answer(decision)
        for number in reversed(numbers)
        for decision in at.ledger.decisions(name, number, number)
    ]
    undone = {
        each.number: bool(len(at.ledger.undone(name, each.number)) % 2)
        for each in history
        if each.kind != "decision"
    }
    lanes, dots = timeline(animal)
    return page(
        request,
        at,
        person,
        "individual.html",
        gallery=name,
        animal=animal,
        flanks=flanks,
        rivals=rivals,
        status=status,
        history=history,
        undone=undone,
        others=others,
        lanes=lanes,
        dots=dots,
        identifier=uuid4().hex,
        may=person.may("reviewer"),
        said=next((each for each in history if each.number == said), None),
    )


@router.post(_PATH + "/individuals/{individual}")
def change(
    name: Named,
    individual: str,
    person: CurrentUser,
    at: Context,
    doing: Annotated[Doing, Form()],
) -> Response:
    """Merge, split, move, confirm, or call sightings unidentifiable."""
    with at.catalogue.gallery(name) as shown:
        saying = _saying(shown, individual, doing)
    entry = written(at, name, person, saying)
    with at.catalogue.gallery(name) as shown:
        now = shown.became(individual)
    said = entry.decision.number
    if not now:
        return RedirectResponse(f"/g/{quote(name)}", 303)
    return RedirectResponse(f"{individual_path(name, now)}?said={said}", 303)


@router.get(_PATH + "/sightings/{sighting}")
def sighting(
    request: Request, name: Named, sighting: str, person: CurrentUser, at: Context
) -> Response:
    """Show a sighting and the candidates of its decision."""
    with at.catalogue.gallery(name) as shown:
        seen = found_sighting(shown.sightings, sighting)
        owner = shown.belongs(sighting)
        beside = [
            (each, shown.belongs(each.id))
            for each in shown.sightings.values()
            if each.image == seen.image and each.id != seen.id and each.image
        ]
        entry: EntryAnswer | None = None
        for decision in at.ledger.decisions(name, seen.number, seen.number):
            entry = entry_answer(decision)
        ranked = [
            (each, shown.became(each.individual), shown.sightings.get(each.sighting))
            for each in (entry.ranked if entry else [])
        ]
    return page(
        request,
        at,
        person,
        "sighting.html",
        gallery=name,
        seen=seen,
        owner=owner,
        entry=entry,
        ranked=ranked,
        beside=beside,
    )


def _saying(shown: GalleryOverview, individual: str, doing: Doing) -> Saying:
    """Return a form as an operation."""
    identifier, reason, picked = doing.identifier, doing.reason, doing.sightings
    if doing.kind == "confirm":
        return Confirm(kind="confirm", id=identifier, individual=individual, reason=reason)
    if doing.kind in {"merge", "move"} and not shown.became(doing.into):
        raise refusal(409, f"there is no individual {doing.into!r}; choose one from the list")
    if doing.kind == "merge":
        return _merge(shown, individual, doing)
    if not picked:
        raise refusal(409, "select the pictures first")
    if doing.kind == "unidentifiable":
        return Unidentifiable(kind="unidentifiable", id=identifier, sightings=picked, reason=reason)
    into = doing.into if doing.kind == "move" else ""
    return Move(kind="move", id=identifier, sightings=picked, into=into, reason=reason)


def _merge(shown: GalleryOverview, individual: str, doing: Doing) -> OfSeveral:
    """Return the merge of two individuals."""
    other = shown.became(doing.into)
    if other == individual:
        raise refusal(409, f"{individual} cannot be merged with itself")
    covers = [shown.individual(each).cover.id for each in (individual, other)]
    return OfSeveral(kind="merge", id=doing.identifier, sightings=covers, reason=doing.reason)


def _flanks(sightings: Sequence[SightingOverview]) -> list[tuple[str, list[SightingOverview]]]:
    """Return the sightings by viewpoint, latest first."""
    sides: dict[str, list[SightingOverview]] = {}
    for seen in reversed(sightings):
        sides.setdefault(seen.viewpoint, []).append(seen)
    known = ("left", "right", "front", "back", "top", "unknown")
    return sorted(sides.items(), key=lambda side: known.index(side[0]))
