"""Local matches of two sightings, for the lines over the pictures."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.registry.api.context import ApiContext, Context, Named
from services.registry.api.json.reading import found_sighting
from services.registry.api.problem import documented, refusal
from services.registry.ledger.overview import GalleryOverview
from shared.errors import Poison
from shared.messages import PairMatch, PairQuestion, Shown

router = APIRouter(prefix="/api/v1", tags=["review"], responses=documented(404))

# Colours from uncertain to certain, also different in lightness. Grey ones don't count.
UNSURE, SURE, PALE = (0, 90, 160), (255, 221, 51), "#96968f"


class MatchAnswer(BaseModel):
    """One match: positions are fractions of the two crops, from the left and from the top."""

    one: tuple[float, float]
    other: tuple[float, float]
    confidence: float
    inlier: bool = Field(description="It agrees with one flat surface.")
    counts: bool = Field(description="It is on the animal; others are not counted.")
    colour: str


class PairAnswer(BaseModel):
    """The matches of two sightings."""

    matches: list[MatchAnswer]
    summary: str


@router.get("/galleries/{population}/{species}/pairs/{one}/{other}/matches")
def matches(name: Named, one: str, other: str, at: Context) -> PairAnswer:
    """Compute the matches of two sightings."""
    if at.explainer is None:
        raise refusal(
            503, "no explainer is configured to compare pictures (RESIGHT_API_EXPLAINER_URL)"
        )
    with at.catalogue.gallery(name) as shown:
        question = PairQuestion(one=_shown(at, shown, one), other=_shown(at, shown, other))
    try:
        found = at.explainer.matches(question)
    except Poison as gone:
        raise refusal(404, f"a crop can't be read: {gone.reason}") from gone
    listed = sorted(found.matches, key=lambda each: (each.counts, each.inlier, each.confidence))
    return PairAnswer(matches=[_answer(each) for each in listed], summary=found.summary)


def _shown(at: ApiContext, gallery: GalleryOverview, name: str) -> Shown:
    seen = found_sighting(gallery.sightings, name)
    if seen.reference is None:
        raise refusal(404, f"sighting {name} has no picture")
    shown = Shown(crop=seen.reference)
    entry = at.ledger.entry(gallery.name, seen.number)
    if entry and entry.enrolment and entry.enrolment.HasField("mask"):
        shown.mask.CopyFrom(entry.enrolment.mask)
    return shown


def _answer(match: PairMatch) -> MatchAnswer:
    return MatchAnswer(
        one=(round(match.x, 4), round(match.y, 4)),
        other=(round(match.other_x, 4), round(match.other_y, 4)),
        confidence=round(match.confidence, 3),
        inlier=match.inlier,
        counts=match.counts,
        colour=_colour(match.confidence) if match.counts else PALE,
    )


def _colour(confidence: float) -> str:
    share = min(1.0, max(0.0, confidence))
    return "#" + "".join(
        f"{round(low + share * (high - low)):02x}" for low, high in zip(UNSURE, SURE, strict=True)
    )
