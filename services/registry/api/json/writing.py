"""Routes for reviewers and admins."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, Field

from services.registry.api.access.keys import AccessError, Key, Person, Role
from services.registry.api.context import ApiContext, Context, CurrentUser, Named
from services.registry.api.json.reading import entry_answer
from services.registry.api.json.schemas import (
    Confirm,
    EntryAnswer,
    Move,
    OfSeveral,
    OfTwo,
    Saying,
    Undo,
    Unidentifiable,
    moment,
)
from services.registry.api.problem import documented, refusal
from services.registry.identity.entry import Entry
from services.registry.review.operations import OperationError

router = APIRouter(prefix="/api/v1", responses=documented(404, 409))


@router.post("/galleries/{population}/{species}/operations", tags=["review"], status_code=201)
def say(
    name: Named, saying: Annotated[Saying, Body()], user: CurrentUser, at: Context
) -> EntryAnswer:
    """Record an identity decision. It overrides later evidence until undone."""
    return entry_answer(written(at, name, user, saying).decision)


def written(at: ApiContext, gallery: str, person: Person, saying: Saying) -> Entry:
    """Write a person's operation, publish it, and return the entry.

    Raises:
        HTTPException: it is not possible.
    """
    reviewer = at.reviewer(gallery, person)
    try:
        match saying:
            case OfTwo(kind="same"):
                entry = reviewer.same(saying.id, saying.one, saying.other, saying.reason)
            case OfTwo():
                entry = reviewer.different(saying.id, saying.one, saying.other, saying.reason)
            case OfSeveral(kind="merge"):
                entry = reviewer.merge(saying.id, saying.sightings, saying.reason)
            case OfSeveral():
                entry = reviewer.tell_apart(saying.id, saying.sightings, saying.reason)
            case Move():
                entry = reviewer.move(saying.id, saying.sightings, saying.into, saying.reason)
            case Confirm():
                entry = reviewer.confirm(saying.id, saying.individual, saying.reason)
            case Unidentifiable():
                entry = reviewer.unidentifiable(saying.id, saying.sightings, saying.reason)
            case Undo():
                entry = reviewer.undo(saying.id, saying.number, saying.reason)
    except OperationError as error:
        raise refusal(409, str(error)) from error
    at.announce(entry)
    return entry


class NewKey(BaseModel):
    """A key to be made."""

    name: str = Field(
        min_length=1, max_length=100, description="Owner, who is recorded as actor in the ledger."
    )
    role: Role
    galleries: list[str] = Field(default=[], max_length=200, description="None: all.")


class KeyAnswer(BaseModel):
    """A key without its secret."""

    id: str
    name: str
    role: Role
    galleries: list[str]
    made_at: datetime

    @classmethod
    def of(cls, key: Key) -> "KeyAnswer":
        """Return the schema of a key."""
        return cls(
            id=key.id,
            name=key.name,
            role=key.role,
            galleries=list(key.galleries),
            made_at=moment(key.made_at),
        )


class MadeKey(BaseModel):
    """A new key's secret, shown only once."""

    key: str


@router.get("/keys", tags=["keys"])
def keys(user: CurrentUser, at: Context) -> list[KeyAnswer]:
    """Keys, without their secrets; bound admins see those bound to their galleries."""
    return [KeyAnswer.of(each) for each in at.access.made(user)]


@router.post("/keys", tags=["keys"], status_code=201)
def add_key(request: Request, new: NewKey, user: CurrentUser, at: Context) -> MadeKey:
    """Make a key. After the first one, every request needs a key.

    Bound admins make keys bound to some of their galleries.
    """
    request.state.about = f"{new.name}, {new.role} of {', '.join(new.galleries) or 'all galleries'}"
    try:
        return MadeKey(key=at.access.add(new.name, new.role, new.galleries, user))
    except AccessError as error:
        raise refusal(409, str(error)) from error


@router.delete("/keys/{identifier}", tags=["keys"], status_code=204)
def remove_key(request: Request, identifier: str, user: CurrentUser, at: Context) -> None:
    """Remove a key and end its browser sessions."""
    try:
        gone = at.access.remove(identifier, user)
    except AccessError as error:
        raise refusal(409, str(error)) from error
    request.state.about = f"{gone.id} of {gone.name}, {gone.role}"
