"""Alerts: rules, what was told by them, and the page of both."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from services.registry.alerts.outbox import AlertError, Delivery
from services.registry.alerts.rule import KINDS, Kind, Rule, Wanted
from services.registry.api.access.keys import Person
from services.registry.api.context import Asking, AtDesk, Desk
from services.registry.api.pages.frame import page
from services.registry.api.problem import documented, refusal

router = APIRouter(responses=documented(404, 409))


# Rules in the words of the page.
WORDS: dict[Kind, str] = {
    "new": "a new individual is founded",
    "individual": "this individual is seen",
    "deployment": "this camera sees anybody",
    "sighting": "anybody is seen",
    "unseen": "somebody was not seen for so many days",
    "question": "a question is worth so many pairs",
}


class NewRule(BaseModel):
    """A rule to be made."""

    name: str = Field(min_length=1, max_length=100)
    gallery: str = Field(min_length=3, max_length=300, examples=["default/lion"])
    kind: Kind
    target: str = Field(
        "", max_length=300, description="The individual, the deployment, the pairs, or the days."
    )
    url: str = Field(min_length=8, max_length=2000, description="Where the alert is posted.")


class RuleAnswer(BaseModel):
    """A rule without its secret."""

    id: str
    name: str
    gallery: str
    kind: Kind
    target: str
    url: str = Field(description="Without its path, which often holds a secret.")
    made_by: str

    @classmethod
    def of(cls, rule: Rule) -> "RuleAnswer":
        """Return the answer about a rule."""
        told = {name: getattr(rule, name) for name in cls.model_fields if name != "url"}
        return cls(**told, url=masked(rule.url))


class MadeRule(RuleAnswer):
    """A new rule with the secret that signs its alerts; it is not shown again."""

    secret: str


class DeliveryAnswer(BaseModel):
    """An alert, and how telling it went."""

    id: str
    rule: str
    what: dict[str, str | int | float | None]
    state: str
    attempts: int
    told: str = Field(description="Why the last attempt failed; empty: it did not.")

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryAnswer":
        """Return the answer about a delivery."""
        return cls(**{name: getattr(delivery, name) for name in cls.model_fields})


@router.get("/api/v1/alerts/rules", tags=["alerts"])
def rules(asking: Asking, at: AtDesk) -> list[RuleAnswer]:
    """The rules of the galleries that the key sees."""
    return [RuleAnswer.of(each) for each in at.alerts.rules() if asking.sees(each.gallery)]


@router.post("/api/v1/alerts/rules", tags=["alerts"], status_code=201)
def add(new: NewRule, asking: Asking, at: AtDesk) -> MadeRule:
    """Make a rule. Each alert is posted as JSON, signed with the secret that is answered here."""
    if not asking.sees(new.gallery) or new.gallery not in at.catalogue.names():
        raise refusal(404, f"there is no gallery {new.gallery}")
    try:
        rule = at.alerts.add(Wanted(**new.model_dump()), asking.name, _last(at, new.gallery))
    except AlertError as error:
        raise refusal(409, str(error)) from error
    return MadeRule(**RuleAnswer.of(rule).model_dump(), secret=rule.secret)


@router.delete("/api/v1/alerts/rules/{identifier}", tags=["alerts"], status_code=204)
def remove(identifier: str, asking: Asking, at: AtDesk) -> None:
    """Remove a rule."""
    try:
        _remove(at, asking, identifier)
    except AlertError as error:
        raise refusal(409, str(error)) from error


@router.get("/api/v1/alerts", tags=["alerts"])
def alerts(asking: Asking, at: AtDesk) -> list[DeliveryAnswer]:
    """The latest alerts, and how telling them went."""
    found = at.alerts.latest()
    return [DeliveryAnswer.of(each) for each in found if asking.sees(each.what["gallery"])]


@router.post("/api/v1/alerts/{identifier}/again", tags=["alerts"], status_code=204)
def again(identifier: str, asking: Asking, at: AtDesk) -> None:
    """Send an alert again, whether it was given up or taken: at once, and then for a day."""
    try:
        _again(at, asking, identifier)
    except AlertError as error:
        raise refusal(409, str(error)) from error


@router.get("/alerts", include_in_schema=False)
def shown(request: Request, person: Asking, at: AtDesk) -> Response:
    """Show rules and alerts."""
    return _page(request, person, at)


@router.post("/alerts", include_in_schema=False)
def change(
    request: Request,
    person: Asking,
    at: AtDesk,
    *,
    name: Annotated[str, Form(max_length=100)] = "",
    gallery: Annotated[str, Form(max_length=300)] = "",
    kind: Annotated[str, Form(max_length=20)] = "sighting",
    target: Annotated[str, Form(max_length=300)] = "",
    url: Annotated[str, Form(max_length=2000)] = "",
    remove: Annotated[str, Form(max_length=20)] = "",
    again: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Make or remove a rule, or send an alert again."""
    try:
        if again:
            _again(at, person, again)
            return RedirectResponse("/alerts", 303)
        if remove:
            _remove(at, person, remove)
            return RedirectResponse("/alerts", 303)
        if kind not in KINDS or not name or not person.sees(gallery):
            raise AlertError("a rule needs a name, a gallery, and one of the kinds")
        wanted = Wanted(name, gallery, kind, target, url)
        rule = at.alerts.add(wanted, person.name, _last(at, gallery))
    except AlertError as error:
        return _page(request, person, at, wrong=str(error))
    return _page(request, person, at, made=rule)


def _remove(at: Desk, person: Person, identifier: str) -> None:
    """Remove a rule.

    Raises:
        AlertError: there is none that they see.
    """
    theirs = {each.id for each in at.alerts.rules() if person.sees(each.gallery)}
    if identifier not in theirs:
        raise AlertError(f"there is no rule {identifier} that your key may see")
    at.alerts.remove(identifier)


def _again(at: Desk, person: Person, identifier: str) -> None:
    """Send an alert again.

    Raises:
        AlertError: there is none that they see.
    """
    found = at.alerts.delivery(identifier)
    if found is None or not person.sees(found.what["gallery"]):
        raise AlertError(f"there is no alert {identifier} that your key may see")
    at.alerts.again(identifier)


def _last(at: Desk, gallery: str) -> int:
    return at.ledger.count(gallery, "entries")


def _page(
    request: Request, person: Asking, at: AtDesk, *, wrong: str = "", made: Rule | None = None
) -> Response:
    rules = [
        replace(each, url=masked(each.url))
        for each in at.alerts.rules()
        if person.sees(each.gallery)
    ]
    sent = [each for each in at.alerts.latest() if person.sees(each.what["gallery"])]
    names = {rule.id: rule.name for rule in rules}
    return page(
        request,
        at,
        person,
        "alerts.html",
        rules=rules,
        sent=sent,
        names=names,
        kinds=WORDS,
        may=person.may("admin"),
        wrong=wrong,
        made=made,
    )


def masked(url: str) -> str:
    """Return an address without what may be a token: path, query and password."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    rest = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{parts.hostname or '…'}{port}{rest}"
