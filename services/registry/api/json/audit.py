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

Many = Annotated[int, Query(ge=1, le=1000, description="Maximum number, newest first.")]
Refused = Annotated[bool, Query(description="Refused actions instead of completed ones.")]


class ActAnswer(BaseModel):
    """One action, completed or refused."""

    at: datetime
    act: str = Field(examples=["export", "make a key"])
    who: str = Field(description="Name of the key; empty: no key.")
    key: str = Field(description="ID of the key; empty: no key.")
    address: str
    about: str = Field(description="Object of the action.")
    status: int = Field(description="HTTP status of the response; 0: not a request.")

    @classmethod
    def of(cls, act: Act) -> "ActAnswer":
        """Return the schema of an action."""
        told = {name: getattr(act, name) for name in cls.model_fields if name != "at"}
        return cls(at=moment(act.at), **told)


@router.get("/api/v1/audit", tags=["audit"])
def acts(at: Context, limit: Many = 200, *, refused: Refused = False) -> list[ActAnswer]:
    """The audit log: sign-ins, keys, exports, imports, alert rules and replays."""
    return [ActAnswer.of(each) for each in at.audit.latest(limit, refused=refused)]
