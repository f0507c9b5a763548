"""Questions: which individuals may be one, answered one at a time, with keyboard shortcuts."""

from typing import Annotated, Literal
from uuid import uuid4

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.registry.api.context import Context, CurrentUser, Named
from services.registry.api.json.schemas import Confirm, OfTwo, Saying, Undo
from services.registry.api.json.writing import written
from services.registry.api.pages.frame import gallery_path, page
from services.registry.api.pages.operations import operation_shown, shown_after
from services.registry.identity.question import Question
from services.registry.ledger.overview import GalleryOverview
from services.registry.review.skipped_questions import is_in

router = APIRouter(include_in_schema=False)

_PATH = "/g/{population}/{species}/questions"

From = Annotated[int, Query(ge=0, le=10**6)]
Name = Annotated[str, Form(min_length=1, max_length=200)]
Answer = Literal["same", "different", "new", "aside", "again"]


@router.get(_PATH)
def question(
    request: Request,
    name: Named,
    person: CurrentUser,
    at: Context,
    *,
    number: Annotated[From, Query(alias="from")] = 0,
    aside: bool = False,
    said: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Response:
    """Show a question: the first one, or the one at position `from`."""
    skipped_questions = at.skipped_questions.those(name)
    with at.catalogue.gallery(name) as shown:
        asked = [each for each in shown.questions if is_in(skipped_questions, each) == aside]
        put_aside = len(shown.questions) - len(asked) if not aside else len(asked)
        place = min(number, max(0, len(asked) - 1))
        question = asked[place] if asked else None
        sides = _sides(shown, question) if question else ()
        rivals = rivals_of(shown, skipped_questions, sides[0].id, question) if question else []
        following = _sides(shown, asked[place + 1]) if place + 1 < len(asked) else ()
    return page(
        request,
        at,
        person,
        "question.html",
        gallery=name,
        question=question,
        sides=sides,
        rivals=rivals,
        following=following,
        place=place,
        count=len(asked),
        put_aside=put_aside,
        aside=aside,
        identifier=uuid4().hex,
        said=operation_shown(at, name, said),
        may=person.may("reviewer"),
        can_draw=at.explainer is not None,
    )


@router.post(_PATH)
def answer(
    name: Named,
    person: CurrentUser,
    at: Context,
    *,
    kind: Annotated[Answer, Form()],
    identifier: Name,
    one: Name,
    other: Name,
    individual: Name,
    place: Annotated[int, Form(ge=0, le=10**6)] = 0,
) -> Response:
    """Record an answer, and show the next question."""
    path = f"{gallery_path(name)}/questions"
    if kind == "aside":
        at.skipped_questions.put(name, one, other, person.name)
        return RedirectResponse(f"{path}?from={place}", 303)
    if kind == "again":
        at.skipped_questions.take_back(name, one, other)
        return RedirectResponse(f"{path}?aside=true&from={place}", 303)
    saying: Saying
    if kind == "new":
        saying = Confirm(kind="confirm", id=identifier, individual=individual)
    else:
        saying = OfTwo(kind=kind, id=identifier, one=one, other=other)
    entry = written(at, name, person, saying)
    return RedirectResponse(f"{path}?from={place}&said={entry.decision.number}", 303)


@router.post("/g/{population}/{species}/undo")
def undo(
    name: Named,
    person: CurrentUser,
    at: Context,
    *,
    number: Annotated[int, Form(ge=1, le=2**53)],
    identifier: Name,
    back: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Undo an entry, and return to the page."""
    entry = written(at, name, person, Undo(kind="undo", id=identifier, number=number))
    return RedirectResponse(shown_after(name, back, entry), 303)


def _sides(shown: GalleryOverview, question: Question) -> tuple["Side", ...]:
    """Return both individuals, the one with fewer sightings first."""
    both = [
        Side(shown, question.one, question.sighting_of_one),
        Side(shown, question.other, question.sighting_of_other),
    ]
    return tuple(sorted(both, key=lambda side: (len(side.sightings), side.id)))


class Side:
    """An individual on one side of a question, with the sighting shown large."""

    def __init__(self, shown: GalleryOverview, name: str, sighting: str) -> None:
        individual = shown.individual(name)
        self.id = name
        self.status = shown.status(name)
        self.individual = individual
        self.sightings = individual.sightings
        self.large = shown.sightings[sighting]


def rivals_of(
    shown: GalleryOverview,
    skipped_questions: frozenset[str],
    individual: str,
    but: Question | None = None,
) -> list[tuple[str, float, str]]:
    """Return other questions about an individual: ID, probability, and path."""
    found = []
    counted = {True: 0, False: 0}
    for question in shown.questions:
        aside = is_in(skipped_questions, question)
        if individual in {question.one, question.other} and question != but:
            rival = question.other if question.one == individual else question.one
            path = f"{gallery_path(shown.name)}/questions?from={counted[aside]}"
            found.append((rival, question.probability, f"{path}&aside=true" if aside else path))
        counted[aside] += 1
    return found
