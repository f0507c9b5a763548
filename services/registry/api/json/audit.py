"""The audit log, for admins of all galleries."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.registry.api.access.audit_log import Act
from services.registry.api.context import Context
from services.registry.api.json.schemas import moment
from services.registry.api.problem import documented

router = APIRouter(responses=documented())

Many = Annotated[int, Query(ge=1, le=1000, description="So many at most, the newest first.")]
Refused = Annotated[bool, Query(description="Those that were refused, in place of those done.")]


class ActAnswer(BaseModel):
    """What somebody did, or was refused."""

    at: datetime
    act: str = Field(examples=["export", "make a key"])
    who: str = Field(description="The name of their key; empty: nobody whom a key names.")
    key: str = Field(description="The ID of their key; empty: none.")
    address: str
    about: str = Field(description="What it was done to.")
    status: int = Field(description="The HTTP status of the answer; 0: it was no request.")

    @classmethod
    def of(cls, act: Act) -> "ActAnswer":
        """Return the answer about an act."""
        told = {name: getattr(act, name) for name in cls.model_fields if name != "at"}
        return cls(at=moment(act.at), **told)


@router.get("/api/v1/audit", tags=["audit"])
def acts(at: Context, limit: Many = 200, *, refused: Refused = False) -> list[ActAnswer]:
    """The audit log: sign-ins, keys, exports, imports, alert rules and replays."""
    return [ActAnswer.of(each) for each in at.audit.latest(limit, refused=refused)]
