"""What every handler works with, and who stands in front of it."""

import ipaddress
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from services.registry.alerts.outbox import AlertOutbox
from services.registry.api.access import Access, Person, Role
from services.registry.api.asides import Asides
from services.registry.api.asking import Inquiry
from services.registry.api.explainer import Explainer
from services.registry.api.problem import refusal
from services.registry.api.settings import ApiSettings
from services.registry.api.system import System
from services.registry.api.thumbnails import Thumbnails
from services.registry.calibration import Calibration
from services.registry.catalogue import Catalogue
from services.registry.discretion import Discretion
from services.registry.entry import Entry
from services.registry.imports.importer import Importer
from services.registry.imports.register import ImportRegister
from services.registry.ledger import Ledger
from services.registry.operator import Operator
from shared.settings import KafkaSettings

COOKIE = "resight_session"
# Who works at a ledger without keys: somebody at this very machine.
LOCAL = Person("local", "admin")


@dataclass(frozen=True)
class Desk:
    """The parts behind the API.

    announce: publishes what an operation wrote
    kafka: where dead letters are; None: there is no broker
    explainer: compares two sightings again, to show their matches; None: nobody does
    drift_window: so many of the latest sightings are compared with the calibration's
    asking: asks who a picture shows; None: there is no broker
    system: knows whether the services are ready; None: there is no broker
    importing: works at catalogues that people bring; None: there is no broker
    closing: set when streams are to end
    """

    ledger: Ledger
    catalogue: Catalogue
    access: Access
    calibration: Calibration
    thumbnails: Thumbnails
    settings: ApiSettings
    announce: Callable[[Entry], None]
    asides: Asides
    discretion: Discretion
    alerts: AlertOutbox
    imports: ImportRegister
    kafka: KafkaSettings | None = None
    explainer: Explainer | None = None
    asking: Inquiry | None = None
    importing: Importer | None = None
    system: System | None = None
    drift_window: int = 500
    closing: threading.Event = field(default_factory=threading.Event)

    def operator(self, gallery: str, person: Person) -> Operator:
        """Return who writes into a gallery's ledger."""
        return Operator(self.ledger, self.calibration, gallery, person.name)

    def who(self, request: Request) -> Person | None:
        """Return who asks: by a key, by the session of a browser, or locally without keys."""
        address = request.client.host if request.client else ""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            if self.access.locked(address, self.settings.failed_logins):
                raise refusal(429, "too many wrong keys came from your address; wait 15 minutes")
            key = self.access.holder(token)
            if key is None:
                self.access.failed(address)
            return key.person if key else None
        if session := request.cookies.get(COOKIE):
            key = self.access.signed_in(session, 3600 * self.settings.session_hours)
            if key:
                return key.person
        # Names of other machines that lead here are a trick of pages on other sites.
        near = self.settings.local and _loopback(request.url.hostname) and _loopback(address)
        return LOCAL if near and not self.access.any() else None


def desk(request: Request) -> Desk:
    """Return the desk of the application."""
    found: Desk = request.app.state.desk
    return found


AtDesk = Annotated[Desk, Depends(desk)]


def person(request: Request, at: AtDesk) -> Person:
    """Return who asks.

    Raises:
        HTTPException: nobody whom the ledger's keys know.
    """
    found = at.who(request)
    if found is None:
        raise refusal(
            401,
            "send a key as 'Authorization: Bearer resight_…'; an admin makes one with "
            "`resight keys add`",
        )
    return found


Asking = Annotated[Person, Depends(person)]


def allowed(role: Role) -> Callable[[Person], Person]:
    """Return a dependency that lets only people of a role pass."""

    def check(asking: Asking) -> Person:
        if not asking.may(role):
            raise refusal(403, f"this takes the role {role}, and your key is a {asking.role}'s")
        return asking

    return check


Reviewing = Annotated[Person, Depends(allowed("reviewer"))]
Administering = Annotated[Person, Depends(allowed("admin"))]


def gallery_name(population: str, species: str, asking: Asking, at: AtDesk) -> str:
    """Return the gallery of a path.

    Raises:
        HTTPException: there is none that they may see.
    """
    name = f"{population}/{species}"
    if not asking.sees(name) or name not in at.catalogue.names():
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
