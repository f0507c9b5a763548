"""Routes for readers."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Query, Response
from fastapi import Path as PathPart

from services.registry.api.context import ApiContext, Context, CurrentUser, Named
from services.registry.api.json.schemas import (
    EntryAnswer,
    GalleryAnswer,
    IndividualAnswer,
    Page,
    QuestionAnswer,
    SightingAnswer,
    T,
)
from services.registry.api.pictures.thumbnails import Size
from services.registry.api.problem import documented, refusal
from services.registry.calibration.drift import drift
from services.registry.identity.entry import OUTCOME_NAMES, OutcomeName
from services.registry.ledger.individual_overview import IndividualOverview, SightingOverview
from services.registry.ledger.overview import GalleryOverview, Status
from services.registry.review.likeness import by_likeness
from shared.errors import Poison
from shared.messages import Decision

router = APIRouter(prefix="/api/v1", tags=["catalogue"], responses=documented(404))

Offset = Annotated[int, Query(ge=0, le=2**53, description="Number of items to skip.")]
Many = Annotated[int, Query(ge=1, le=200, description="Maximum number of items.")]
Order = Literal[
    "-last_seen",
    "last_seen",
    "-first_seen",
    "first_seen",
    "-sightings",
    "sightings",
    "id",
    "likeness",
]
Text = Annotated[str | None, Query(max_length=300)]

S = TypeVar("S")

_PATH = "/galleries/{population}/{species}"


def paged(found: Sequence[S], offset: int, limit: int, answer: Callable[[S], T]) -> Page[T]:
    """Return one page of a list, with items converted."""
    following = offset + limit
    return Page(
        items=[answer(each) for each in found[offset:following]],
        total=len(found),
        next=following if following < len(found) else None,
    )


@router.get("/galleries")
def galleries(user: CurrentUser, at: Context) -> list[GalleryAnswer]:
    """All galleries that the key may see."""
    return [gallery_answer(at, name) for name in at.catalogue.names() if user.sees(name)]


@router.get(_PATH)
def gallery(name: Named, at: Context) -> GalleryAnswer:
    """One gallery."""
    return gallery_answer(at, name)


@router.get(_PATH + "/individuals")
def individuals(
    *,
    name: Named,
    at: Context,
    sort: Order = "-last_seen",
    status: Status | None = None,
    deployment: Text = None,
    viewpoint: Text = None,
    contains: Annotated[str, Query(max_length=200, description="Part of an ID or name.")] = "",
    offset: Offset = 0,
    limit: Many = 50,
) -> Page[IndividualAnswer]:
    """Individuals of a gallery."""
    with at.catalogue.gallery(name) as shown:
        found = shown.chosen(
            status=status or "",
            deployment=deployment or "",
            viewpoint=viewpoint or "",
            contains=contains,
        )
        return paged(
            in_order(found, sort, shown),
            offset,
            limit,
            lambda each: IndividualAnswer.of(each, shown),
        )


@router.get(_PATH + "/individuals/{individual}")
def individual(name: Named, individual: str, at: Context) -> IndividualAnswer:
    """One individual; for a merged one, the individual it became."""
    with at.catalogue.gallery(name) as shown:
        now = shown.became(individual)
        if not now:
            raise refusal(404, f"{name} has no individual {individual}")
        return IndividualAnswer.of(shown.individual(now), shown)


@router.get(_PATH + "/sightings")
def sightings(
    *,
    name: Named,
    at: Context,
    individual: Text = None,
    outcome: OutcomeName | None = None,
    deployment: Text = None,
    viewpoint: Text = None,
    offset: Offset = 0,
    limit: Many = 50,
) -> Page[SightingAnswer]:
    """Sightings of a gallery, latest decisions first."""
    with at.catalogue.gallery(name) as shown:
        found = [
            each
            for each in shown.sightings.values()
            if (individual is None or shown.belongs(each.id) == individual)
            and (outcome is None or each.outcome == outcome)
            and (deployment is None or each.deployment == deployment)
            and (viewpoint is None or each.viewpoint == viewpoint)
        ]
        found.reverse()
        return paged(found, offset, limit, lambda each: SightingAnswer.of(each, shown))


@router.get(_PATH + "/sightings/{sighting}")
def sighting(name: Named, sighting: str, at: Context) -> SightingAnswer:
    """One sighting."""
    with at.catalogue.gallery(name) as shown:
        return SightingAnswer.of(found_sighting(shown.sightings, sighting), shown)


@router.get(
    _PATH + "/sightings/{sighting}/crop",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}, "description": "The crop."}},
)
def crop(name: Named, sighting: str, at: Context, size: Size = "640") -> Response:
    """The crop of a sighting."""
    with at.catalogue.gallery(name) as shown:
        reference = found_sighting(shown.sightings, sighting).reference
    if reference is None:
        raise refusal(404, f"sighting {sighting} has no picture")
    try:
        content = at.thumbnails.get(reference, size)
    except Poison as gone:
        raise refusal(404, f"the crop of {sighting} can't be read: {gone.reason}") from gone
    # A sighting's ID is a hash of its pixels, so responses never change.
    kept = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(content, media_type="image/jpeg", headers=kept)


@router.get(_PATH + "/questions")
def questions(
    name: Named, at: Context, offset: Offset = 0, limit: Many = 50
) -> Page[QuestionAnswer]:
    """Pairs of individuals that may be one, the most valuable first."""
    with at.catalogue.gallery(name) as shown:
        asked = shown.questions
        return paged(asked, offset, limit, lambda each: QuestionAnswer.of(each, shown))


@router.get(_PATH + "/entries")
def entries(
    name: Named,
    at: Context,
    after: Annotated[int, Query(ge=0, le=2**53, description="Number of an entry.")] = 0,
    limit: Many = 50,
) -> Page[EntryAnswer]:
    """The ledger: every decision and operation, in order."""
    last = at.ledger.count(name, "entries")
    until = min(after + limit, last)
    items = [entry_answer(each) for each in at.ledger.decisions(name, after + 1, until)]
    return Page(items=items, total=last, next=until if until < last else None)


@router.get(_PATH + "/entries/{number}")
def entry(
    name: Named, number: Annotated[int, PathPart(ge=1, le=2**53)], at: Context
) -> EntryAnswer:
    """One entry of the ledger, with its evidence."""
    found = next(at.ledger.decisions(name, number, number), None)
    if found is None:
        raise refusal(404, f"{name} has no entry {number}")
    return entry_answer(found)


def gallery_answer(at: ApiContext, name: str) -> GalleryAnswer:
    """Return the schema of a gallery."""
    curve = at.calibration.curve(name)
    with at.catalogue.gallery(name) as shown:
        return GalleryAnswer(
            name=name,
            individuals=len(shown.names()),
            sightings=len(shown.sightings),
            questions=len(shown.questions),
            entries=shown.entries,
            calibration=at.calibration.title,
            known_from=curve.known,
            new_below=curve.new,
            drift=drift_of(at, name, shown),
        )


def drift_of(at: ApiContext, name: str, shown: GalleryOverview) -> float | None:
    """Return the drift of a gallery's evidence from the calibration."""
    baseline = at.calibration.curve(name).baseline
    if baseline is None:
        return None
    weighed = [each.probability for each in shown.sightings.values() if each.weighed]
    return drift(weighed, baseline, at.drift_window)


def in_order(
    found: Sequence[IndividualOverview], sort: Order, shown: GalleryOverview
) -> list[IndividualOverview]:
    """Return individuals sorted; by time, those whose time is unknown come last."""
    found = sorted(found, key=lambda each: each.id)
    if sort == "likeness":
        by_id = {each.id: each for each in found}
        return [by_id[name] for name in by_likeness(list(by_id), shown.likeness())]
    keys: dict[str, Callable[[IndividualOverview], float | str]] = {
        "last_seen": lambda each: each.last or 0.0,
        "first_seen": lambda each: each.first or 0.0,
        "sightings": lambda each: len(each.sightings),
        "id": lambda each: each.id,
    }
    found.sort(key=keys[sort.removeprefix("-")], reverse=sort.startswith("-"))
    if sort.endswith("_seen"):
        found.sort(key=lambda each: not each.times)
    return found


def found_sighting(sightings: dict[str, SightingOverview], name: str) -> SightingOverview:
    """Return a sighting.

    Raises:
        HTTPException: there is no such sighting.
    """
    if name not in sightings:
        raise refusal(404, f"this gallery has no sighting {name}")
    return sightings[name]


def entry_answer(decision: Decision) -> EntryAnswer:
    """Return the schema of an entry."""
    return EntryAnswer.of(decision, OUTCOME_NAMES.get(decision.outcome))
