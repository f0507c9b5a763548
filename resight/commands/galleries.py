"""`resight galleries`: which galleries there are, and adding one beyond the limit."""

from typing import Annotated

import typer
from rich.table import Table

from resight.connections import ledger_at
from resight.console import (
    AsJson,
    CommandError,
    Commands,
    DataDir,
    LedgerUrl,
    print_json,
    results,
)
from resight.stack_state import DEFAULT_FOLDER
from shared.identifiers import gallery_name, names_gallery, split_gallery

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="Galleries: one for each species in each population. Animals are compared within one.",
)


@app.command(name="list")
def list_(
    *, ledger_url: LedgerUrl = None, data_dir: DataDir = DEFAULT_FOLDER, as_json: AsJson = False
) -> None:
    """Show every gallery with its sightings and individuals."""
    ledger = ledger_at(ledger_url, data_dir)
    rows = [
        {
            "gallery": name,
            "decisions": ledger.count(name, "entries"),
            "enrolled": ledger.count(name, "enrolments"),
            "individuals": ledger.count(name, "individuals"),
        }
        for name in ledger.galleries()
    ]
    if as_json:
        for row in rows:
            print_json(row)
        return
    table = Table("gallery", "decisions", "enrolled", "individuals")
    for row in rows:
        table.add_row(*(str(cell) for cell in row.values()))
    results.print(table if rows else "no galleries yet")


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="POPULATION/SPECIES", help="Such as tsavo/lion.")],
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Add a gallery, however many there are.

    The registry makes only so many by itself (RESIGHT_REGISTRY_MAX_GALLERIES): further
    ones are mostly misspelt. What was given up for that comes back with
    `resight dead-letters replay --kind too-many-galleries`.
    """
    if not names_gallery(name):
        population, species = split_gallery(name)
        raise CommandError(
            f"{name!r} is no gallery's name; did you mean {gallery_name(population, species)}?"
        )
    ledger_at(ledger_url, data_dir).add_gallery(name)
    results.print(f"gallery {name} is there")
