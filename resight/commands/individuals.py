"""`resight individuals`: which individuals there are, and which of them may be one."""

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
    help="Individuals: which of them may be one, and what you say about it.\n\n"
    "You speak of sightings, by their IDs: two pictures stay what they are, while an individual's "
    "ID may be merged or split. What you say holds, whatever evidence comes later.",
)


@app.command()
def questions(
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    limit: Annotated[int, typer.Option(min=1, help="So many of each gallery at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show which individuals may be one, those first whose answer is worth most.

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
        results.print(table if table.row_count else "nothing is open")


@app.command()
def show(
    individual: Individual,
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Show an individual with its sightings; of one that was merged, the one that it has become."""
    ledger = ledger_at(ledger_url, data_dir)
    gallery, name = named(ledger, individual)
    sightings = ledger.individuals(gallery)[name]
    if as_json:
        print_json({"gallery": gallery, "individual": name, "sightings": sightings})
        return
    became = f" (once {individual})" if name != individual else ""
    results.print(f"{name}{became} of {gallery}, sightings: {len(sightings)}")
    for sighting in sightings:
        results.print(f"  {sighting}")


app.command(
    "same",
    help="Say that two sightings show one animal. Their individuals become one; but one that "
    "stands among strangers moves alone.",
)(review_commands.same)
app.command(
    "different",
    help="Say that two sightings show two animals. If they are one individual, it is parted.",
)(review_commands.different)
for command in (
    review_commands.move,
    review_commands.confirm,
    review_commands.unidentifiable,
    review_commands.undo,
):
    app.command()(command)
