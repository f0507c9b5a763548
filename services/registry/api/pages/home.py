"""Home: open tasks, recent sightings, and system status."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.registry.api.context import ApiContext, Context, CurrentUser
from services.registry.api.pages.frame import page
from services.registry.ledger.individual_overview import SightingOverview
from services.registry.review.skipped_questions import is_in

router = APIRouter(include_in_schema=False)

# Number of recent sightings shown.
LATEST = 12


@router.get("/")
def home(request: Request, person: CurrentUser, at: Context) -> Response:
    """Show all visible galleries."""
    waiting = [Card(at, name) for name in at.catalogue.names() if person.sees(name)]
    latest = sorted(
        ((name, seen, owner) for card in waiting for name, seen, owner in card.latest),
        key=lambda each: -each[1].decided_at,
    )
    return page(
        request,
        at,
        person,
        "home.html",
        cards=waiting,
        latest=latest[:LATEST],
        system=at.system.now() if at.system else None,
    )


class Card:
    """A gallery's card."""

    def __init__(self, at: ApiContext, name: str) -> None:
        skipped_questions = at.skipped_questions.those(name)
        with at.catalogue.gallery(name) as shown:
            self.name = name
            self.individuals = len(shown.names())
            self.sightings = len(shown.sightings)
            self.questions = sum(not is_in(skipped_questions, each) for each in shown.questions)
            self.tentative = len(shown.tentative)
            found: list[SightingOverview] = list(shown.sightings.values())[-LATEST:]
            self.latest = [(name, each, shown.belongs(each.id)) for each in found]
