"""Alert rules and the alerts that were sent."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.registry.alerts.outbox import AlertError
from services.registry.alerts.rule import KINDS, Kind, Rule, RuleSpec
from services.registry.api.context import Context, CurrentUser
from services.registry.api.json.alerts import last_entry, masked, remove_rule, send_again
from services.registry.api.pages.frame import page

router = APIRouter(include_in_schema=False)

# What each kind of rule reports.
WORDS: dict[Kind, str] = {
    "new": "a new individual appears",
    "individual": "this individual is seen",
    "deployment": "this camera records an animal",
    "sighting": "any animal is seen",
    "unseen": "an individual is not seen for this many days",
    "question": "a question affects at least this many pairs",
}


@router.get("/alerts")
def shown(request: Request, person: CurrentUser, at: Context) -> Response:
    """Show rules and alerts."""
    return _page(request, person, at)


@router.post("/alerts")
def change(
    request: Request,
    person: CurrentUser,
    at: Context,
    *,
    name: Annotated[str, Form(max_length=100)] = "",
    gallery: Annotated[str, Form(max_length=300)] = "",
    kind: Annotated[str, Form(max_length=20)] = "sighting",
    target: Annotated[str, Form(max_length=300)] = "",
    url: Annotated[str, Form(max_length=2000)] = "",
    remove: Annotated[str, Form(max_length=20)] = "",
    again: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Add or remove a rule, or send an alert again."""
    try:
        if again:
            send_again(at, person, again)
            return RedirectResponse("/alerts", 303)
        if remove:
            remove_rule(at, person, remove)
            return RedirectResponse("/alerts", 303)
        if kind not in KINDS or not name or not person.sees(gallery):
            raise AlertError("choose a name, a gallery, and a kind for the rule")
        wanted = RuleSpec(name, gallery, kind, target, url)
        rule = at.alerts.add(wanted, person.name, last_entry(at, gallery))
    except AlertError as error:
        return _page(request, person, at, wrong=str(error))
    return _page(request, person, at, made=rule)


def _page(
    request: Request, person: CurrentUser, at: Context, *, wrong: str = "", made: Rule | None = None
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
