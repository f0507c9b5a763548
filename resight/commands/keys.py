"""`resight keys`: who gets into the review pages and the API."""

from typing import Annotated

import typer
from rich.table import Table

from resight.connections import ledger_at
from resight.console import AsJson, Commands, DataDir, LedgerUrl, note, print_json, results
from resight.stack_state import DEFAULT_FOLDER
from services.registry.api.access.audit_log import COMMAND_LINE, AuditLog
from services.registry.api.access.keys import Access, Role

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="Keys to the review pages and the API, each with a role: a reader looks, a reviewer says "
    "who is who, an admin does everything.\n\n"
    "Without any key only this machine gets in, and may do everything.",
)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Whose key it is; it stands in the ledger.")],
    *,
    role: Annotated[Role, typer.Option(help="What they may do.")] = "admin",
    gallery: Annotated[
        list[str] | None,
        typer.Option(help="POPULATION/SPECIES that they see; may come again. Default: all."),
    ] = None,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Make a key and print it: this once, since only its digest is kept."""
    store = ledger_at(ledger_url, data_dir).store
    key = Access(store).add(name, role, gallery or ())
    bound = ", ".join(gallery or ()) or "all galleries"
    AuditLog(store).note("make a key", COMMAND_LINE, about=f"{name}, {role} of {bound}")
    results.print(key, soft_wrap=True)
    note(f"{name} signs in with it as {role}; programs send it as 'Authorization: Bearer …'")


@app.command(name="list")
def list_(
    *, ledger_url: LedgerUrl = None, data_dir: DataDir = DEFAULT_FOLDER, as_json: AsJson = False
) -> None:
    """Show all keys, without their secrets."""
    table = Table("id", "name", "role", "galleries")
    for key in Access(ledger_at(ledger_url, data_dir).store).made():
        cells = {"id": key.id, "name": key.name, "role": key.role, "galleries": list(key.galleries)}
        if as_json:
            print_json(cells)
        table.add_row(key.id, key.name, key.role, ", ".join(key.galleries) or "all")
    if not as_json:
        results.print(table if table.row_count else "there are no keys: this machine alone gets in")


@app.command()
def remove(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="As `resight keys list` says.")],
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Remove a key; browsers that signed in with it are signed out."""
    store = ledger_at(ledger_url, data_dir).store
    gone = Access(store).remove(identifier)
    AuditLog(store).note("remove a key", COMMAND_LINE, about=f"{gone.id} of {gone.name}")
    results.print(f"removed {identifier}")
