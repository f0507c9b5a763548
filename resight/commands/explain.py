"""`resight explain`: draw the matches of two sightings."""

from pathlib import Path
from typing import Annotated

import typer

from resight.console import AsJson, CommandError, DataDir, LedgerUrl, print_json, results
from resight.stack_state import DEFAULT_FOLDER


def explain(
    sighting: Annotated[str, typer.Argument(metavar="SIGHTING", help="A sighting's ID.")],
    candidate: Annotated[str, typer.Argument(metavar="CANDIDATE", help="ID of another sighting.")],
    *,
    output: Annotated[Path, typer.Option(help="Output picture.")] = Path("explanation.png"),
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Draw the matches of two sightings and print the evidence.

    Matches on one surface are coloured by confidence, others are thin, and those outside the
    animals grey. Crops come from the stack running from --data-dir, else from
    RESIGHT_BLOBS_CROPS_URL; the matcher is configured by the environment.
    """
    # PyTorch takes two seconds to import.
    from resight.ledger_tools.explaining import explain_pair  # noqa: PLC0415

    if sighting == candidate:
        raise CommandError(f"{sighting} was given twice; name two different sightings")
    told = explain_pair(sighting, candidate, output, ledger_url, data_dir)
    if as_json:
        print_json(told)
        return
    results.print(f"{told['summary']}\n{output}", soft_wrap=True)
