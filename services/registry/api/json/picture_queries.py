"""Identifies a picture without enrolling it."""

from typing import Annotated

from fastapi import APIRouter, File, Query, UploadFile
from pydantic import BaseModel, Field

from services.registry.api.context import ApiContext, Context, Named
from services.registry.api.problem import documented, refusal
from services.registry.identity.entry import OUTCOME_NAMES, OutcomeName
from services.registry.ledger.overview import GalleryOverview
from shared.identifiers import DEFAULT_POPULATION, split_gallery
from shared.images.file_types import PICTURES, sniff
from shared.messages import Answer, Capture
from shared.viewpoints import named

router = APIRouter(responses=documented(404, 415))

SECONDS = 60.0

Side = Annotated[
    str, Query(max_length=20, description="Viewpoint: left, right, front, back or top.")
]


class Likeness(BaseModel):
    """A candidate individual for a picture."""

    individual: str
    name: str = Field(description="Its name; empty: none.")
    probability: float
    sighting: str = Field(description="Its most similar sighting.")
    matches: int


class WhoAnswer(BaseModel):
    """Result of identifying a picture."""

    outcome: OutcomeName
    individual: str = Field(description="Empty unless known.")
    name: str = Field(description="Its name; empty: none.")
    probability: float = Field(description="Of the first candidate.")
    ranked: list[Likeness]
    incomparable: str = Field(description="Why it cannot be compared; empty: it can.")


@router.post("/api/v1/galleries/{population}/{species}/search", tags=["catalogue"])
def search(
    name: Named, at: Context, picture: Annotated[UploadFile, File()], viewpoint: Side = ""
) -> WhoAnswer:
    """Identify a picture. It is queued behind the captures in progress; nothing is enrolled."""
    return who(at, name, picture.file.read(), viewpoint)


def who(at: ApiContext, gallery: str, picture: bytes, viewpoint: str) -> WhoAnswer:
    """Identify a picture.

    Raises:
        HTTPException: it is not a picture, or there is no broker.
        Transient: no response arrived.
    """
    if at.picture_query is None:
        raise refusal(503, "there is no broker, so pictures cannot be identified")
    kind = sniff(picture)
    if kind not in PICTURES:
        raise refusal(
            415, f"the file is {kind or 'of an unknown type'}; send {', '.join(sorted(PICTURES))}"
        )
    population, species = split_gallery(gallery)
    capture = Capture(
        inline=picture,
        species=species,
        population="" if population == DEFAULT_POPULATION else population,
        deployment="question",
        viewpoint=named(viewpoint),
    )
    answer = at.picture_query.ask(capture, SECONDS)
    with at.catalogue.gallery(gallery) as shown:
        return _told(answer, shown)


def _told(answer: Answer, gallery: GalleryOverview) -> WhoAnswer:
    ranked = []
    for each in answer.ranked:
        now = gallery.became(each.individual)
        if now:
            ranked.append(
                Likeness(
                    individual=now,
                    name=gallery.individual(now).name,
                    probability=round(each.probability, 4),
                    sighting=each.best.candidate.sighting_id,
                    matches=each.best.matches,
                )
            )
    owner = gallery.became(answer.individual)
    return WhoAnswer(
        outcome=OUTCOME_NAMES.get(answer.outcome, "review"),
        individual=owner,
        name=gallery.individual(owner).name if owner else "",
        probability=round(answer.probability, 4),
        ranked=ranked,
        incomparable=answer.incomparable,
    )
