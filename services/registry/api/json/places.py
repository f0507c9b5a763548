"""Location masking by species."""

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
    """The location masking of a species."""

    species: str = Field(examples=["black-rhinoceros"])
    kilometres: float = Field(description="Size of the grid cells; 0: exact locations.")
    source: Literal["file", "said", "like", "unlisted"] = Field(
        description="Source of the rule: the operator's list, an admin, another species, or none."
    )
    like: str = Field(description="The other species; empty: none.")
    said_by: str = Field(description="The admin who set it; empty: none.")
    said_at: datetime | None


class Coarseness(BaseModel):
    """The location masking of a species."""

    model_config = ConfigDict(extra="forbid")

    kilometres: Kilometres = Field(description="Size of the grid cells; 0: exact locations.")


class Likeness(BaseModel):
    """The other species whose rule applies."""

    model_config = ConfigDict(extra="forbid")

    like: str = Field(min_length=1, max_length=200, examples=["black-rhinoceros"])


NewWord = Coarseness | Likeness


@router.get("/api/v1/places", tags=["places"])
def places(at: Context) -> list[SpeciesAnswer]:
    """The location masking of each species in the ledger, for everybody but admins."""
    said = at.location_masking.said.all()
    species = {split_gallery(name)[1] for name in at.catalogue.names()} | set(said)
    return [_answer(at, name) for name in sorted(species)]


@router.put("/api/v1/places/{species}", tags=["places"])
def say(
    request: Request,
    species: str,
    word: Annotated[NewWord, Body()],
    user: CurrentUser,
    at: Context,
) -> SpeciesAnswer:
    """Set a species' masking, or the other species whose rule applies."""
    set_rule(request, at, user, species, word)
    return _answer(at, slug(species))


@router.delete("/api/v1/places/{species}", tags=["places"], status_code=204)
def take_back(species: str, at: Context) -> None:
    """Remove an admin's rule for a species."""
    if not at.location_masking.said.take_back(species):
        raise refusal(404, f"there is no rule for {species}")


def set_rule(
    request: Request, at: ApiContext, person: CurrentUser, species: str, word: NewWord
) -> None:
    name = slug(species)
    like = slug(word.like) if isinstance(word, Likeness) else ""
    if not name or (isinstance(word, Likeness) and not like):
        raise refusal(409, f"{species!r} or the other name is not a species")
    if at.location_masking.is_listed(name):
        raise refusal(
            409, f"the operator's list (RESIGHT_API_PROTECTED) names {name}: change it there"
        )
    if like == name:
        raise refusal(409, f"{name} cannot refer to itself")
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
