"""Dependencies of all handlers, and authentication."""

import ipaddress
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from services.registry.alerts.outbox import AlertOutbox
from services.registry.api.access.audit_log import AuditLog
from services.registry.api.access.keys import LOCK_SECONDS, Access, Person
from services.registry.api.explainer import Explainer
from services.registry.api.picture_query import PictureQuery
from services.registry.api.pictures.thumbnails import Thumbnails
from services.registry.api.problem import refusal
from services.registry.api.settings import ApiSettings
from services.registry.api.system import System
from services.registry.calibration.calibration import Calibration
from services.registry.identity.entry import Entry
from services.registry.imports.importer import Importer
from services.registry.imports.register import ImportRegister
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.overview import LedgerOverview
from services.registry.locations.masking import LocationMasking
from services.registry.review.reviewer import Reviewer
from services.registry.review.skipped_questions import SkippedQuestions
from shared.settings import KafkaSettings

COOKIE = "resight_session"
# The user of a ledger without keys: somebody on this machine.
LOCAL = Person("local", "admin")


@dataclass(frozen=True)
class Caller:
    """The sender of a request. by_key: a program with a key, not a browser with a cookie."""

    person: Person | None
    by_key: bool = False


ANONYMOUS = Caller(None)


@dataclass(frozen=True)
class ApiContext:
    """The parts behind the API.

    announce: publishes the entry of an operation
    kafka: for dead letters; None: no broker
    explainer: computes the matches of two sightings; None: not available
    drift_window: number of latest sightings compared with the calibration's
    picture_query: identifies pictures; None: no broker
    system: status of the services; None: no broker
    importing: imports catalogues; None: no broker
    closing: set when streams are to end
    """

    ledger: Ledger
    catalogue: LedgerOverview
    access: Access
    audit: AuditLog
    calibration: Calibration
    thumbnails: Thumbnails
    settings: ApiSettings
    announce: Callable[[Entry], None]
    skipped_questions: SkippedQuestions
    location_masking: LocationMasking
    alerts: AlertOutbox
    imports: ImportRegister
    kafka: KafkaSettings | None = None
    explainer: Explainer | None = None
    picture_query: PictureQuery | None = None
    importing: Importer | None = None
    system: System | None = None
    drift_window: int = 500
    closing: threading.Event = field(default_factory=threading.Event)

    def reviewer(self, gallery: str, person: Person) -> Reviewer:
        """Return the user's operations on a gallery."""
        return Reviewer(self.ledger, self.calibration, gallery, person.name)

    def who(self, request: Request) -> Caller:
        """Return the user: by key, by session, or local without keys.

        Raises:
            HTTPException: the key is wrong, or too many wrong ones came from this address.
            Transient: the ledger does not respond.
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            if key := self.access.holder(token):
                return Caller(key.person, by_key=True)
            self.refuse_key(request, token)
            return ANONYMOUS
        if session := request.cookies.get(COOKIE):
            key = self.access.signed_in(session, 3600 * self.settings.session_hours)
            if key:
                return Caller(key.person)
        # Other host names that resolve here are DNS rebinding.
        near = (
            self.settings.local and _loopback(request.url.hostname) and _loopback(address(request))
        )
        return Caller(LOCAL) if near and not self.access.any() else ANONYMOUS

    def refuse_key(self, request: Request, token: str) -> None:
        """Count and record a wrong key.

        Raises:
            HTTPException: there were too many before.
        """
        many = self.access.failed(token, address(request), self.settings.failed_logins)
        if many:
            raise HTTPException(
                429,
                "too many wrong keys came from your address; wait 15 minutes, or send the right "
                "one",
                {"Retry-After": str(LOCK_SECONDS)},
            )
        self.audit.note(
            "wrong key", "", address=address(request), about=request.url.path, refused=True
        )


def address(request: Request) -> str:
    """Return the address of the client."""
    return request.client.host if request.client else ""


def api_context(request: Request) -> ApiContext:
    """Return the context of the application."""
    found: ApiContext = request.app.state.context
    return found


Context = Annotated[ApiContext, Depends(api_context)]


def person(request: Request) -> Person:
    """Return the user, admitted by the guard."""
    found: Person = request.state.person
    return found


CurrentUser = Annotated[Person, Depends(person)]


def gallery_name(population: str, species: str, at: Context) -> str:
    """Return the gallery of a path, admitted by the guard.

    Raises:
        HTTPException: there is no such gallery.
    """
    name = f"{population}/{species}"
    if name not in at.catalogue.names():
        raise refusal(404, f"there is no gallery {name} that your key may see")
    return name


Named = Annotated[str, Depends(gallery_name)]


def _loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
