"""How coarsely the places of species are told, and what admins say of that."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from services.registry.api.context import Asking, AtDesk, Desk
from services.registry.api.json.schemas import moment
from services.registry.api.pages.frame import page
from services.registry.api.problem import documented, refusal
from shared.identifiers import slug

router = APIRouter(responses=documented(404, 409))

Kilometres = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


class SpeciesAnswer(BaseModel):
    """How coarsely a species is told."""

    species: str = Field(examples=["black-rhinoceros"])
    kilometres: float = Field(description="The size of the cells; 0: its places are told exactly.")
    source: Literal["file", "said", "like", "unlisted"] = Field(
        description="By whose word: the operator's list, an admin's, that of another species, or "
        "nobody's."
    )
    like: str = Field(description="The other species by whose word; empty: none.")
    said_by: str = Field(description="The admin who said so; empty: none.")
    said_at: datetime | None


class Coarseness(BaseModel):
    """How coarsely a species is told."""

    model_config = ConfigDict(extra="forbid")

    kilometres: Kilometres = Field(
        description="The size of the cells; 0: its places may be told exactly."
    )


class Likeness(BaseModel):
    """As which other species it counts."""

    model_config = ConfigDict(extra="forbid")

    like: str = Field(min_length=1, max_length=200, examples=["black-rhinoceros"])


NewWord = Coarseness | Likeness


@router.get("/api/v1/places", tags=["places"])
def places(at: AtDesk) -> list[SpeciesAnswer]:
    """How coarsely each species of the ledger is told to all but admins."""
    said = at.discretion.said.all()
    species = {name.partition("/")[2] for name in at.catalogue.names()} | set(said)
    return [_answer(at, name) for name in sorted(species)]


@router.put("/api/v1/places/{species}", tags=["places"])
def say(
    request: Request, species: str, word: Annotated[NewWord, Body()], asking: Asking, at: AtDesk
) -> SpeciesAnswer:
    """Say how coarsely a species is told, or as which other one it counts."""
    _say(request, at, asking, species, word)
    return _answer(at, slug(species))


@router.delete("/api/v1/places/{species}", tags=["places"], status_code=204)
def take_back(species: str, at: AtDesk) -> None:
    """Take back what was said of a species: it is told as if nobody had."""
    if not at.discretion.said.take_back(species):
        raise refusal(404, f"nothing was said of {species}")


@router.get("/places", include_in_schema=False)
def shown(request: Request, person: Asking, at: AtDesk) -> Response:
    """Show how coarsely each species is told."""
    return page(
        request,
        at,
        person,
        "places.html",
        species=places(at),
        unlisted=at.settings.unlisted_kilometres,
    )


@router.post("/places", include_in_schema=False)
def change(
    request: Request,
    person: Asking,
    at: AtDesk,
    *,
    species: Annotated[str, Form(min_length=1, max_length=200)],
    kilometres: Annotated[str, Form(max_length=20)] = "",
    like: Annotated[str, Form(max_length=200)] = "",
    back: Annotated[bool, Form()] = False,
) -> Response:
    """Say how coarsely a species is told, or take that back."""
    if back:
        at.discretion.said.take_back(species)
        request.state.about = f"{slug(species)}: taken back"
        return RedirectResponse("/places", 303)
    if bool(kilometres) == bool(like):
        raise refusal(422, "say either kilometres (0: exactly) or the species that it is like")
    word: NewWord
    try:
        word = Likeness(like=like) if like else Coarseness(kilometres=float(kilometres))
    except ValueError as error:
        raise refusal(422, f"{kilometres!r} is no number of kilometres from 0 to 1000") from error
    _say(request, at, person, species, word)
    return RedirectResponse("/places", 303)


def _say(request: Request, at: Desk, person: Asking, species: str, word: NewWord) -> None:
    name = slug(species)
    like = slug(word.like) if isinstance(word, Likeness) else ""
    if not name or (isinstance(word, Likeness) and not like):
        raise refusal(409, f"{species!r} or what it is like is no name of a species")
    if at.discretion.is_listed(name):
        raise refusal(
            409, f"the operator's list (RESIGHT_API_PROTECTED) names {name}: change it there"
        )
    if like == name:
        raise refusal(409, f"{name} can't be like itself")
    kilometres = word.kilometres if isinstance(word, Coarseness) else 0.0
    at.discretion.said.say(name, person.name, kilometres, like)
    how = f"like {like}" if like else f"{kilometres:g} km"
    request.state.about = f"{name}: {how}"


def _answer(at: Desk, species: str) -> SpeciesAnswer:
    ruling, word = at.discretion.species(species), at.discretion.said.all().get(species)
    by_word = word if word and ruling.source in {"said", "like"} else None
    return SpeciesAnswer(
        species=species,
        kilometres=ruling.kilometres,
        source=ruling.source,
        like=ruling.like,
        said_by=by_word.by if by_word else "",
        said_at=moment(by_word.at) if by_word else None,
    )
