"""`resight individuals`: show and review individuals."""

from typing import Annotated

import typer
from rich.table import Table

from resight.commands import review_commands
from resight.commands.review_commands import Individual, named
from resight.connections import ledger_at
from resight.console import (
    AsJson,
    Commands,
    DataDir,
    LedgerUrl,
    print_json,
    results,
)
from resight.stack_state import DEFAULT_FOLDER

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="Review individuals and open questions.\n\n"
    "Operations name sightings, because sighting IDs are stable while individuals may merge or "
    "split. Your answers override all later evidence.",
)


@app.command()
def questions(
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number per gallery.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List open questions, the most valuable first.

    Each names the two sightings that are most alike. Answer with `resight individuals same` or
    `different`.
    """
    ledger = ledger_at(ledger_url, data_dir)
    table = Table("gallery", "individual", "and", "probability", "sighting", "and")
    for gallery in ledger.galleries():
        for question in ledger.questions(gallery)[:limit]:
            cells = {
                "gallery": gallery,
                "one": question.one,
                "other": question.other,
                "probability": round(question.probability, 3),
                "sighting_of_one": question.sighting_of_one,
                "sighting_of_other": question.sighting_of_other,
            }
            if as_json:
                print_json(cells)
            table.add_row(*map(str, cells.values()))
    if not as_json:
        results.print(table if table.row_count else "no open questions")


@app.command()
def show(
    individual: Individual,
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Show an individual and its sightings. For a merged individual, show its successor."""
    ledger = ledger_at(ledger_url, data_dir)
    gallery, name = named(ledger, individual)
    sightings = ledger.individuals(gallery)[name]
    if as_json:
        print_json({"gallery": gallery, "individual": name, "sightings": sightings})
        return
    became = f" (formerly {individual})" if name != individual else ""
    results.print(f"{name}{became} of {gallery}, sightings: {len(sightings)}")
    for sighting in sightings:
        results.print(f"  {sighting}")


app.command(
    "same",
    help="Mark two sightings as the same animal and merge their individuals. If one sighting is an "
    "outlier in its individual, only that sighting moves.",
)(review_commands.same)
app.command(
    "different",
    help="Mark two sightings as different animals. If they belong to one individual, it is split.",
)(review_commands.different)
for command in (
    review_commands.move,
    review_commands.confirm,
    review_commands.unidentifiable,
    review_commands.undo,
):
    app.command()(command)
