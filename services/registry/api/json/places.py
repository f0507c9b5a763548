"""How coarsely the places of species are told, and what admins say of that."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field

from services.registry.api.context import ApiContext, Context, CurrentUser
from services.registry.api.json.schemas import moment
from services.registry.api.problem import documented, refusal
from shared.identifiers import slug, split_gallery

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
def places(at: Context) -> list[SpeciesAnswer]:
    """How coarsely each species of the ledger is told to all but admins."""
    said = at.location_masking.said.all()
    species = {split_gallery(name)[1] for name in at.catalogue.names()} | set(said)
    return [_answer(at, name) for name in sorted(species)]


@router.put("/api/v1/places/{species}", tags=["places"])
def say(
    request: Request,
    species: str,
    word: Annotated[NewWord, Body()],
    asking: CurrentUser,
    at: Context,
) -> SpeciesAnswer:
    """Say how coarsely a species is told, or as which other one it counts."""
    set_rule(request, at, asking, species, word)
    return _answer(at, slug(species))


@router.delete("/api/v1/places/{species}", tags=["places"], status_code=204)
def take_back(species: str, at: Context) -> None:
    """Take back what was said of a species: it is told as if nobody had."""
    if not at.location_masking.said.take_back(species):
        raise refusal(404, f"nothing was said of {species}")


def set_rule(
    request: Request, at: ApiContext, person: CurrentUser, species: str, word: NewWord
) -> None:
    name = slug(species)
    like = slug(word.like) if isinstance(word, Likeness) else ""
    if not name or (isinstance(word, Likeness) and not like):
        raise refusal(409, f"{species!r} or what it is like is no name of a species")
    if at.location_masking.is_listed(name):
        raise refusal(
            409, f"the operator's list (RESIGHT_API_PROTECTED) names {name}: change it there"
        )
    if like == name:
        raise refusal(409, f"{name} can't be like itself")
    kilometres = word.kilometres if isinstance(word, Coarseness) else 0.0
    at.location_masking.said.say(name, person.name, kilometres, like)
    how = f"like {like}" if like else f"{kilometres:g} km"
    request.state.about = f"{name}: {how}"


def _answer(at: ApiContext, species: str) -> SpeciesAnswer:
    ruling, word = at.location_masking.species(species), at.location_masking.said.all().get(species)
    by_word = word if word and ruling.source in {"said", "like"} else None
    return SpeciesAnswer(
        species=species,
        kilometres=ruling.kilometres,
        source=ruling.source,
        like=ruling.like,
        said_by=by_word.by if by_word else "",
        said_at=moment(by_word.at) if by_word else None,
    )
