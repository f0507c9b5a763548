"""`resight ledger`: is what the registry has written sound?"""

import typer
from rich.progress import track

from resight.console import AsJson, Commands, DataDir, LedgerUrl, notes, print_json, results
from resight.stack.state import DEFAULT_FOLDER
from resight.target import ledger_at
from services.registry.audit import check

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="The ledger: who every sighting is, and every decision that made it so.",
)


@app.command()
def verify(
    *, ledger_url: LedgerUrl = None, data_dir: DataDir = DEFAULT_FOLDER, as_json: AsJson = False
) -> None:
    """Compare the ledger with itself: every entry, enrolment, individual and image.

    What entries tell must be what individuals hold; numbers have no gap; nothing is there twice.
    Of a ledger that is written to meanwhile, what is on its way may look like a fault: stop the
    registry, or run it again. It ends with exit status 1 if there is a fault.
    """
    ledger = ledger_at(ledger_url, data_dir)
    names = ledger.galleries()
    found = {
        name: check(ledger, name)
        for name in track(names, "verifying", console=notes, transient=True)
    }
    for name, faults in found.items():
        if as_json:
            print_json({"gallery": name, "faults": faults})
            continue
        entries = ledger.count(name, "entries")
        verdict = f"{len(faults)} faults" if faults else "sound"
        results.print(f"{name}: {verdict}, entries: {entries}")
        for fault in faults:
            results.print(f"  {fault}")
    if not names:
        results.print("no galleries yet")
    if any(found.values()):
        raise typer.Exit(1)
