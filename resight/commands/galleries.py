"""`resight galleries`: list and add galleries."""

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
from shared.identifiers import gallery_name, names_gallery

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="A gallery is one species in one population. Animals are compared only within a gallery.",
)


@app.command(name="list")
def list_(
    *, ledger_url: LedgerUrl = None, data_dir: DataDir = DEFAULT_FOLDER, as_json: AsJson = False
) -> None:
    """List galleries with their decisions and individuals."""
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
    name: Annotated[
        str, typer.Argument(metavar="POPULATION/SPECIES", help="Gallery, such as tsavo/lion.")
    ],
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Add a gallery beyond the automatic limit.

    The registry creates up to RESIGHT_REGISTRY_MAX_GALLERIES automatically; further names are
    usually misspelt. Replay the affected records with `resight dead-letters replay --kind
    too-many-galleries`.
    """
    if not names_gallery(name):
        population, _, species = name.rpartition("/")
        raise CommandError(
            f"{name!r} is not a gallery name; did you mean {gallery_name(population, species)}?"
        )
    ledger_at(ledger_url, data_dir).add_gallery(name)
    results.print(f"gallery {name} exists now")
