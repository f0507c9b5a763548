"""Alert rules and deliveries."""

from urllib.parse import urlsplit

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.registry.alerts.outbox import AlertError, Delivery
from services.registry.alerts.rule import Kind, Rule, RuleSpec
from services.registry.api.access.keys import Person
from services.registry.api.context import ApiContext, Context, CurrentUser
from services.registry.api.problem import documented, refusal

router = APIRouter(responses=documented(404, 409))


class NewRule(BaseModel):
    """A rule to be added."""

    name: str = Field(min_length=1, max_length=100)
    gallery: str = Field(min_length=3, max_length=300, examples=["default/lion"])
    kind: Kind
    target: str = Field(
        "", max_length=300, description="The individual, the deployment, the pairs, or the days."
    )
    url: str = Field(min_length=8, max_length=2000, description="URL to which alerts are posted.")


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
        """Return the schema of a rule."""
        told = {name: getattr(rule, name) for name in cls.model_fields if name != "url"}
        return cls(**told, url=masked(rule.url))


class MadeRule(RuleAnswer):
    """A new rule with the secret that signs its alerts; it is shown only once."""

    secret: str


class DeliveryAnswer(BaseModel):
    """An alert and its delivery."""

    id: str
    rule: str
    what: dict[str, str | int | float | None]
    state: str
    attempts: int
    told: str = Field(description="Why the last attempt failed; empty: it did not.")

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryAnswer":
        """Return the schema of a delivery."""
        return cls(**{name: getattr(delivery, name) for name in cls.model_fields})


@router.get("/api/v1/alerts/rules", tags=["alerts"])
def rules(user: CurrentUser, at: Context) -> list[RuleAnswer]:
    """Rules of all visible galleries."""
    return [RuleAnswer.of(each) for each in at.alerts.rules() if user.sees(each.gallery)]


@router.post("/api/v1/alerts/rules", tags=["alerts"], status_code=201)
def add(new: NewRule, user: CurrentUser, at: Context) -> MadeRule:
    """Add a rule. Each alert is posted as JSON, signed with the secret returned here."""
    if not user.sees(new.gallery) or new.gallery not in at.catalogue.names():
        raise refusal(404, f"there is no gallery {new.gallery}")
    try:
        rule = at.alerts.add(RuleSpec(**new.model_dump()), user.name, last_entry(at, new.gallery))
    except AlertError as error:
        raise refusal(409, str(error)) from error
    return MadeRule(**RuleAnswer.of(rule).model_dump(), secret=rule.secret)


@router.delete("/api/v1/alerts/rules/{identifier}", tags=["alerts"], status_code=204)
def remove(identifier: str, user: CurrentUser, at: Context) -> None:
    """Remove a rule."""
    try:
        remove_rule(at, user, identifier)
    except AlertError as error:
        raise refusal(409, str(error)) from error


@router.get("/api/v1/alerts", tags=["alerts"])
def alerts(user: CurrentUser, at: Context) -> list[DeliveryAnswer]:
    """The latest alerts and their deliveries."""
    found = at.alerts.latest()
    return [DeliveryAnswer.of(each) for each in found if user.sees(each.what["gallery"])]


@router.post("/api/v1/alerts/{identifier}/again", tags=["alerts"], status_code=204)
def again(identifier: str, user: CurrentUser, at: Context) -> None:
    """Send an alert again now, and retry for a day."""
    try:
        send_again(at, user, identifier)
    except AlertError as error:
        raise refusal(409, str(error)) from error


def remove_rule(at: ApiContext, person: Person, identifier: str) -> None:
    """Remove a rule.

    Raises:
        AlertError: they see no such rule.
    """
    theirs = {each.id for each in at.alerts.rules() if person.sees(each.gallery)}
    if identifier not in theirs:
        raise AlertError(f"there is no rule {identifier} that your key may see")
    at.alerts.remove(identifier)


def send_again(at: ApiContext, person: Person, identifier: str) -> None:
    """Send an alert again.

    Raises:
        AlertError: they see no such alert.
    """
    found = at.alerts.delivery(identifier)
    if found is None or not person.sees(found.what["gallery"]):
        raise AlertError(f"there is no alert {identifier} that your key may see")
    at.alerts.again(identifier)


def last_entry(at: ApiContext, gallery: str) -> int:
    return at.ledger.count(gallery, "entries")


def masked(url: str) -> str:
    """Return a URL without path, query and password, which may hold a token."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    rest = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{parts.hostname or '…'}{port}{rest}"
