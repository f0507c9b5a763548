"""`resight keys`: manage API keys."""

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
    help="API keys for the API and the review pages. Roles: a reader can view, a reviewer can also "
    "answer questions, an admin can do everything.\n\n"
    "Without any key, only this machine has access, with full rights.",
)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Owner's name, recorded in the ledger.")],
    *,
    role: Annotated[Role, typer.Option(help="Role of the key.")] = "admin",
    gallery: Annotated[
        list[str] | None,
        typer.Option(
            help="Gallery (POPULATION/SPECIES) the key is limited to; repeatable. Default: all."
        ),
    ] = None,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Create a key and print it. It cannot be shown again."""
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
    """List keys without their secrets."""
    table = Table("id", "name", "role", "galleries")
    for key in Access(ledger_at(ledger_url, data_dir).store).made():
        cells = {"id": key.id, "name": key.name, "role": key.role, "galleries": list(key.galleries)}
        if as_json:
            print_json(cells)
        table.add_row(key.id, key.name, key.role, ", ".join(key.galleries) or "all")
    if not as_json:
        results.print(table if table.row_count else "no keys: only this machine has access")


@app.command()
def remove(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="ID from `resight keys list`.")],
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Delete a key and end its browser sessions."""
    store = ledger_at(ledger_url, data_dir).store
    gone = Access(store).remove(identifier)
    AuditLog(store).note("remove a key", COMMAND_LINE, about=f"{gone.id} of {gone.name}")
    results.print(f"removed {identifier}")
