"""What a person says about individuals: commands of `resight individuals`."""

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
Actor = Annotated[str | None, typer.Option("--as", help="Who says so. Default: your user name.")]
Reason = Annotated[str, typer.Option(help="Why, in your words; it stands in the ledger.")]
Identifier = Annotated[
    str,
    typer.Option(
        "--id",
        default_factory=lambda: uuid4().hex,
        help="Names the operation: the same one twice changes nothing. Default: a new name.",
        show_default=False,
    ),
]
Individual = Annotated[
    str, typer.Argument(metavar="INDIVIDUAL", help="Its ID, or one that was merged into it.")
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
    """Say that all pictures of an individual show one animal, and none of those that it may be."""
    ledger = ledger_at(ledger_url, data_dir)
    gallery, name = named(ledger, individual)
    person = _person(ledger, gallery, actor)
    _tell(ledger, data_dir, person.confirm(identifier, name, reason))


def unidentifiable(
    sightings: Annotated[list[str], typer.Argument(metavar="SIGHTING…", help="Of one gallery.")],
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    actor: Actor = None,
    reason: Reason = "",
    identifier: Identifier,
) -> None:
    """Say that nobody can tell who these sightings show: they belong to no individual any more."""
    _say(
        ledger_at(ledger_url, data_dir),
        data_dir,
        actor,
        sightings[0],
        lambda person: person.unidentifiable(identifier, sightings, reason),
    )


def move(
    sightings: Annotated[list[str], typer.Argument(metavar="SIGHTING…", help="Of one individual.")],
    *,
    into: Annotated[
        str, typer.Option(help="The individual that they belong to. Default: a new one.")
    ] = "",
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    actor: Actor = None,
    reason: Reason = "",
    identifier: Identifier,
) -> None:
    """Say that sightings belong to another individual, or to one of their own."""
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
    number: Annotated[int, typer.Argument(help="Of the entry: each operation prints its own.")],
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    actor: Actor = None,
    reason: Reason = "",
    identifier: Identifier,
) -> None:
    """Take back what a person said, as far as nobody moved on since. An undo can be undone."""
    ledger = ledger_at(ledger_url, data_dir)
    person = _person(ledger, gallery, actor)
    _tell(ledger, data_dir, person.undo(identifier, number, reason))


def _about_two(say: Callable[[Reviewer, str, str, str, str], Entry]) -> Callable[..., None]:
    """Return the command that says something of two sightings."""

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
    raise CommandError(f"no gallery has a sighting {sighting}; give its whole ID")


def named(ledger: Ledger, individual: str) -> tuple[str, str]:
    """Return gallery and ID of an individual, under whichever ID it was once known."""
    for gallery in ledger.galleries():
        name = ledger.resolve(gallery, individual)
        if ledger.has(gallery, name):
            return gallery, name
    raise CommandError(
        f"no gallery has an individual {individual}; `resight watch` shows their IDs, and the "
        "demo's table"
    )


def _person(ledger: Ledger, gallery: str, actor: str | None) -> Reviewer:
    curves = calibration.load(load(RegistrySettings).calibration)
    try:
        name = actor or getpass.getuser()
    except KeyError as error:  # a container's user has no name
        raise CommandError("this machine has no name for you; say who you are with --as") from error
    return Reviewer(ledger, curves, gallery, name)


def _tell(ledger: Ledger, data_dir: Path, entry: Entry) -> None:
    """Print what an operation changed, and publish it."""
    decision = entry.decision
    results.print(f"entry {decision.number} of {decision.gallery}")
    for change in decision.changes:
        source, into = change.individual or "nobody", change.into or "nobody"
        results.print(f"  {len(change.sightings)} of {source} belong to {into}")
    try:
        with closing(Broker(kafka_settings(None, data_dir))) as broker:
            receipts = broker.publish(entry.messages())
    except (StackError, Transient) as error:
        note(f"it is in the ledger, and the registry publishes it when it starts again: {error}")
        return
    for gallery, taken in acknowledgements(receipts).items():
        ledger.acknowledge(gallery, taken)
