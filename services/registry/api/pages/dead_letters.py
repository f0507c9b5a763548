"""Dead letters, and their replay."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from google.protobuf.message import DecodeError

from services.registry.api.context import ApiContext, Context, CurrentUser
from services.registry.api.pages.frame import page
from services.registry.api.pictures.redrawing import redrawn
from services.registry.api.problem import refusal
from shared.errors import Transient
from shared.images.file_types import sniff
from shared.kafka.topics import CAPTURES, dead_letter_topics
from shared.messages import Capture
from shared.stage import dead_letters
from shared.stage.dead_letters import DeadLetter

router = APIRouter(include_in_schema=False)

# Number per page, latest first; `resight dead-letters list` shows all.
SHOWN = 20
MOST = 2000

Before = Annotated[int, Query(ge=0, le=MOST, description="Number of later ones to skip.")]


@router.get("/letters")
def letters(
    request: Request,
    person: CurrentUser,
    at: Context,
    sent: int | None = Query(None, ge=0),
    before: Before = 0,
) -> Response:
    """Show dead letters; only to users of all galleries."""
    found: list[DeadLetter] = []
    trouble, waiting = "", 0
    if at.kafka is not None:
        try:
            # Without their values, which are whole pictures.
            found = [
                replace(each, value=None)
                for each in dead_letters.read(
                    at.kafka, dead_letter_topics(), latest=before + SHOWN + 1
                )
            ]
            waiting = dead_letters.waiting(at.kafka, dead_letter_topics())
        except Transient as away:
            found, trouble = (
                [],
                (f"The dead letters cannot be read because the broker does not respond: {away}"),
            )
    found.sort(key=lambda each: each.time, reverse=True)
    return page(
        request,
        at,
        person,
        "dead_letters.html",
        letters=[shown(each) for each in found[before : before + SHOWN]],
        earlier=before + SHOWN if len(found) > before + SHOWN and before + SHOWN <= MOST else None,
        later=max(0, before - SHOWN) if before else None,
        waiting=waiting,
        trouble=trouble,
        sent=sent,
        may=person.may("admin"),
    )


@router.get("/letters/{topic}/{partition}/{offset}/picture")
def picture(topic: str, partition: int, offset: int, at: Context) -> Response:
    """Show the picture of a dead-lettered capture, decoded and re-encoded."""
    found = None
    if at.kafka is not None and topic in dead_letter_topics():
        found = dead_letters.find(at.kafka, topic, partition, offset)
    drawn = redrawn(image_of(found)) if found and image_of(found) else b""
    if not drawn:
        raise refusal(404, "this dead letter has no picture that can be shown")
    return Response(drawn, media_type="image/jpeg", headers={"Cache-Control": "private"})


@router.post("/letters")
def replay(at: Context) -> Response:
    """Replay all dead letters."""
    if at.kafka is None:
        raise refusal(503, "there is no broker to replay them")
    count = dead_letters.replay(at.kafka, _waiting(at))
    return RedirectResponse(f"/letters?sent={count}", 303)


@dataclass(frozen=True)
class Letter:
    """A dead letter as shown; `picture` is a path, '' if none."""

    kind: str
    reason: str
    time: str
    topic: str
    attempt: int
    replayed: bool
    picture: str


def shown(letter: DeadLetter) -> Letter:
    """Return what the page shows of a dead letter."""
    mark, there = letter.mark, letter.topic == CAPTURES and letter.left_out is None
    place = f"/letters/{letter.address}/{mark.partition}/{mark.offset}/picture" if mark else ""
    return Letter(
        kind=letter.kind,
        reason=letter.reason,
        time=f"{letter.time:%-d %b %Y, %H:%M}",
        topic=letter.topic,
        attempt=letter.attempt,
        replayed=mark is not None and mark.replayed,
        picture=place if there else "",
    )


def image_of(letter: DeadLetter) -> bytes:
    """Return the inline picture of a capture; b'' if none."""
    if letter.topic != CAPTURES or not letter.value:
        return b""
    if sniff(letter.value) is not None:
        return letter.value
    try:
        return Capture.FromString(letter.value).inline
    except DecodeError:
        return b""


def _waiting(at: ApiContext) -> Iterator[DeadLetter]:
    """Yield the dead letters that can be replayed."""
    if at.kafka is not None:
        for letter in dead_letters.read(at.kafka, dead_letter_topics()):
            replayed = letter.mark is not None and letter.mark.replayed
            if not replayed and letter.left_out is None:
                yield letter
