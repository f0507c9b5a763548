"""What could not be handled, and sending it round again."""

from dataclasses import dataclass

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from google.protobuf.message import DecodeError

from services.registry.api.desk import Asking, AtDesk, Desk
from services.registry.api.pages.frame import page
from services.registry.api.pages.inlined import inlined
from services.registry.api.problem import refusal
from shared import dead_letters
from shared.dead_letters import DeadLetter
from shared.errors import Transient
from shared.media import sniff
from shared.messages import Capture
from shared.topics import CAPTURES, dead_letter_topics

router = APIRouter(include_in_schema=False)

# The latest ones; the command `resight dead-letters list` shows all.
SHOWN = 100


@router.get("/letters")
def letters(
    request: Request, person: Asking, at: AtDesk, sent: int | None = Query(None, ge=0)
) -> Response:
    """Show what could not be handled; only to those who see all galleries."""
    try:
        found, trouble = list(_letters(at)), ""
    except Transient as away:
        found, trouble = [], f"The broker does not answer, so they can't be read: {away}"
    found.sort(key=lambda each: each.time, reverse=True)
    return page(
        request,
        at,
        person,
        "letters.html",
        letters=[shown(each) for each in found[:SHOWN]],
        waiting=sum(_can_go(each) for each in found),
        trouble=trouble,
        sent=sent,
        may=person.may("admin"),
    )


@router.post("/letters")
def replay(at: AtDesk) -> Response:
    """Send all letters round again that were not yet."""
    if at.kafka is None:
        raise refusal(503, "there is no broker to send them by")
    waiting = [each for each in _letters(at) if _can_go(each)]
    count = dead_letters.replay(at.kafka, waiting)
    return RedirectResponse(f"/letters?sent={count}", 303)


@dataclass(frozen=True)
class Letter:
    """A dead letter as the page shows it; `picture` is a data URL, empty where there is none."""

    kind: str
    reason: str
    time: str
    topic: str
    attempt: int
    replayed: bool
    picture: str


def shown(letter: DeadLetter) -> Letter:
    """Return what the page shows of a letter."""
    return Letter(
        kind=letter.kind,
        reason=letter.reason,
        time=f"{letter.time:%-d %b %Y, %H:%M}",
        topic=letter.topic,
        attempt=letter.attempt,
        replayed=letter.mark is not None and letter.mark.replayed,
        picture=_picture(letter),
    )


def _letters(at: Desk) -> list[DeadLetter]:
    if at.kafka is None:
        return []
    return list(dead_letters.read(at.kafka, dead_letter_topics()))


def _can_go(letter: DeadLetter) -> bool:
    replayed = letter.mark is not None and letter.mark.replayed
    return not replayed and letter.left_out is None


def _picture(letter: DeadLetter) -> str:
    """Return a capture's picture, if it is a JPEG, without what else its file tells."""
    if letter.topic != CAPTURES or not letter.value:
        return ""
    image = letter.value
    if sniff(image) is None:
        try:
            image = Capture.FromString(letter.value).inline
        except DecodeError:
            return ""
    return inlined(image)
