"""New decisions as server-sent events, read from the ledger."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from services.registry.api.access.keys import Person
from services.registry.api.context import ApiContext, Context, CurrentUser
from services.registry.api.problem import documented
from services.registry.identity.entry import OUTCOME_NAMES
from shared.errors import Transient
from shared.messages import Decision

router = APIRouter(prefix="/api/v1", tags=["catalogue"], responses=documented())

EVERY_SECONDS = 1.0
# Proxies close connections that are silent for longer.
WORD_SECONDS = 15.0
# Maximum per gallery at once; clients that were away longer can read the entries.
MOST = 100


@router.get(
    "/live",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events `decision`."}},
)
async def live(
    request: Request,
    user: CurrentUser,
    at: Context,
    last_event_id: Annotated[str, Header(max_length=20_000)] = "",
) -> StreamingResponse:
    """Follow the decisions in all visible galleries, as server-sent events.

    Each event's data is JSON; its ID holds the position in every gallery, so a reconnecting browser
    misses nothing. The stream ends when the key is removed.
    """
    told = _numbers(last_event_id)
    return StreamingResponse(
        _events(request, at, user, told),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _events(
    request: Request, at: ApiContext, user: Person, told: dict[str, int]
) -> AsyncIterator[str]:
    if not told:
        told = await run_in_threadpool(_ends, at, user)
    silent = 0.0
    yield ": listening\n\n"
    while not (at.closing.is_set() or await request.is_disconnected()):
        try:
            if not await run_in_threadpool(at.access.still, user):
                return
            found = await run_in_threadpool(_since, at, user, told)
        except Transient:
            found = []
        for decision in found:
            told[decision.gallery] = decision.number
            data = json.dumps(event(decision))
            yield f"id: {json.dumps(told)}\nevent: decision\ndata: {data}\n\n"
        silent = 0.0 if found else silent + EVERY_SECONDS
        if silent >= WORD_SECONDS:
            silent = 0.0
            yield ": still listening\n\n"
        await asyncio.sleep(EVERY_SECONDS)


def event(decision: Decision) -> dict[str, Any]:
    """Return the event of a decision about a sighting."""
    path = f"/g/{decision.gallery}/sightings/{decision.sighting_id}"
    crop = f"/api/v1/galleries/{decision.gallery}/sightings/{decision.sighting_id}/crop?size=320"
    return {
        "gallery": decision.gallery,
        "number": decision.number,
        "sighting": decision.sighting_id,
        "individual": decision.individual,
        "outcome": OUTCOME_NAMES.get(decision.outcome, "review"),
        "probability": round(decision.probability, 4),
        "deployment": decision.deployment,
        "decided_at": decision.decided_at.ToJsonString(),
        "path": path,
        "picture": crop if decision.HasField("crop") else None,
        "more": " · ".join(
            filter(None, (decision.deployment, f"{decision.decided_at.ToDatetime():%H:%M:%S}"))
        ),
    }


def _ends(at: ApiContext, user: Person) -> dict[str, int]:
    names = [name for name in at.catalogue.names() if user.sees(name)]
    return {name: at.ledger.count(name, "entries") for name in names}


def _since(at: ApiContext, user: Person, told: dict[str, int]) -> list[Decision]:
    """Return later decisions about sightings; operations are skipped."""
    found = []
    for name, last in _ends(at, user).items():
        known = told.get(name, 0)
        if last > known:
            new = list(at.ledger.decisions(name, max(known, last - MOST) + 1, last))
            found += [each for each in new if not each.HasField("operation")]
    return found


def _numbers(last_event_id: str) -> dict[str, int]:
    try:
        told = json.loads(last_event_id)
    except ValueError:
        return {}
    if not isinstance(told, dict):
        return {}
    return {name: number for name, number in told.items() if isinstance(number, int)}
