"""Review operations: commands of `resight individuals`."""

import getpass
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from resight.connections import kafka_settings, ledger_at
from resight.console import (
    CommandError,
    DataDir,
    LedgerUrl,
    note,
    results,
)
from resight.stack_state import DEFAULT_FOLDER, StackError
from services.registry.calibration import calibration
from services.registry.identity.entry import Entry
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.receipts import acknowledgements
from services.registry.outbox.broker import Broker
from services.registry.review.reviewer import Reviewer
from services.registry.settings import RegistrySettings
from shared.environment import load
from shared.errors import Transient

Sighting = Annotated[str, typer.Argument(metavar="SIGHTING", help="A sighting's ID.")]
Actor = Annotated[
    str | None, typer.Option("--as", help="Name recorded in the ledger. Default: your user name.")
]
Reason = Annotated[str, typer.Option(help="Reason, recorded in the ledger.")]
Identifier = Annotated[
    str,
    typer.Option(
        "--id",
        default_factory=lambda: uuid4().hex,
        help="Idempotency key: the same operation twice changes nothing. Default: a new one.",
        show_default=False,
    ),
]
Individual = Annotated[
    str, typer.Argument(metavar="INDIVIDUAL", help="ID of an individual, or of one merged into it.")
]


def confirm(
    individual: Individual,
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    actor: Actor = None,
    reason: Reason = "",
    identifier: Identifier,
) -> None:
    """Confirm that an individual is one animal and different from its candidates."""
    ledger = ledger_at(ledger_url, data_dir)
    gallery, name = named(ledger, individual)
    person = _person(ledger, gallery, actor)
    _tell(ledger, data_dir, person.confirm(identifier, name, reason))


def unidentifiable(
    sightings: Annotated[
        list[str], typer.Argument(metavar="SIGHTING…", help="Sightings of one gallery.")
    ],
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    actor: Actor = None,
    reason: Reason = "",
    identifier: Identifier,
) -> None:
    """Mark sightings as unidentifiable: they are removed from their individual."""
    _say(
        ledger_at(ledger_url, data_dir),
        data_dir,
        actor,
        sightings[0],
        lambda person: person.unidentifiable(identifier, sightings, reason),
    )


def move(
    sightings: Annotated[
        list[str], typer.Argument(metavar="SIGHTING…", help="Sightings of one individual.")
    ],
    *,
    into: Annotated[str, typer.Option(help="Individual to move them to. Default: a new one.")] = "",
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    actor: Actor = None,
    reason: Reason = "",
    identifier: Identifier,
) -> None:
    """Move sightings to another individual, or to a new one."""
    ledger = ledger_at(ledger_url, data_dir)
    _say(
        ledger,
        data_dir,
        actor,
        sightings[0],
        lambda person: person.move(identifier, sightings, into, reason),
    )


def undo(
    gallery: Annotated[str, typer.Argument(metavar="POPULATION/SPECIES", help="The gallery.")],
    number: Annotated[
        int, typer.Argument(help="Number of the entry, as printed by the operation.")
    ],
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    actor: Actor = None,
    reason: Reason = "",
    identifier: Identifier,
) -> None:
    """Undo an operation. Sightings moved again since then stay. An undo can be undone."""
    ledger = ledger_at(ledger_url, data_dir)
    person = _person(ledger, gallery, actor)
    _tell(ledger, data_dir, person.undo(identifier, number, reason))


def _about_two(say: Callable[[Reviewer, str, str, str, str], Entry]) -> Callable[..., None]:
    """Return a command about two sightings."""

    def command(
        one: Sighting,
        other: Sighting,
        *,
        ledger_url: LedgerUrl = None,
        data_dir: DataDir = DEFAULT_FOLDER,
        actor: Actor = None,
        reason: Reason = "",
        identifier: Identifier,
    ) -> None:
        _say(
            ledger_at(ledger_url, data_dir),
            data_dir,
            actor,
            one,
            lambda person: say(person, identifier, one, other, reason),
        )

    return command


same = _about_two(Reviewer.same)
different = _about_two(Reviewer.different)


def _say(
    ledger: Ledger,
    data_dir: Path,
    actor: str | None,
    sighting: str,
    say: Callable[[Reviewer], Entry],
) -> None:
    for gallery in ledger.galleries():
        if ledger.belongs(gallery, [sighting]):
            _tell(ledger, data_dir, say(_person(ledger, gallery, actor)))
            return
    raise CommandError(f"no gallery has a sighting {sighting}; give the full ID")


def named(ledger: Ledger, individual: str) -> tuple[str, str]:
    """Return gallery and current ID of an individual; former IDs are resolved."""
    for gallery in ledger.galleries():
        name = ledger.resolve(gallery, individual)
        if ledger.has(gallery, name):
            return gallery, name
    raise CommandError(
        f"no gallery has an individual {individual}; `resight watch` and the demo's table show IDs"
    )


def _person(ledger: Ledger, gallery: str, actor: str | None) -> Reviewer:
    curves = calibration.load(load(RegistrySettings).calibration)
    try:
        name = actor or getpass.getuser()
    except KeyError as error:  # a container's user has no name
        raise CommandError("cannot determine your user name; use --as NAME") from error
    return Reviewer(ledger, curves, gallery, name)


def _tell(ledger: Ledger, data_dir: Path, entry: Entry) -> None:
    """Print what an operation changed, and publish it."""
    decision = entry.decision
    results.print(f"entry {decision.number} of {decision.gallery}")
    for change in decision.changes:
        source, into = change.individual or "no individual", change.into or "no individual"
        results.print(f"  {len(change.sightings)} of {source} now belong to {into}")
    try:
        with closing(Broker(kafka_settings(None, data_dir))) as broker:
            receipts = broker.publish(entry.messages())
    except (StackError, Transient) as error:
        note(f"saved in the ledger; the registry will publish it at its next start: {error}")
        return
    for gallery, taken in acknowledgements(receipts).items():
        ledger.acknowledge(gallery, taken)
