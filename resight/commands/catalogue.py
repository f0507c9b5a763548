"""`resight catalogue check`: likely faults in the names of a catalogue."""

from pathlib import Path
from typing import Annotated

import typer

from resight.commands.recognition.options import (
    CACHE,
    ENCODER,
    Encoder,
    EvidenceCache,
    JsonFile,
    ServedCalibration,
)
from resight.console import CommandError, Commands, ConsoleProgress, note, results, write_json
from resight.learning.pictures import labelled

app = typer.Typer(
    cls=Commands, no_args_is_help=True, help="A catalogue of named animals, before or after import."
)

SHOWN = 20


@app.callback()
def catalogue() -> None:
    """Keep `check` a subcommand, although it is the only one."""


@app.command()
def check(
    folders: Annotated[
        list[Path], typer.Argument(metavar="CATALOGUE…", help="Folders or ZIPs of named animals.")
    ],
    *,
    output: Annotated[Path, typer.Option(help="Page with the pictures side by side.")] = Path(
        "catalogue-check.html"
    ),
    calibration: ServedCalibration = None,
    model: Encoder = ENCODER,
    species: Annotated[
        str | None,
        typer.Option(help="Species of all pictures. Default: as named.", show_default=False),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Maximum pictures.", show_default=False)
    ] = None,
    json_file: JsonFile = None,
    cache: EvidenceCache = CACHE,
) -> None:
    """List names that may be one animal, and pictures that may be under a wrong name.

    All pictures of a species are compared with each other, half a second per picture, once. The
    likeliest faults come first. Nothing is changed: correct the catalogue, or merge and move the
    individuals on their pages after the import.
    """
    # PyTorch and scikit-learn take seconds to import, and few commands need them.
    from recognition.catalogue_check import check_catalogue  # noqa: PLC0415
    from recognition.data.labelled_folder import ordered  # noqa: PLC0415
    from recognition.evaluation.encoders import model_file  # noqa: PLC0415
    from recognition.replay.evidence_cache import matched_sightings  # noqa: PLC0415
    from resight.reports.catalogue_faults import as_json, page, table  # noqa: PLC0415
    from services.registry.calibration.calibration import load as load_calibration  # noqa: PLC0415
    from services.registry.settings import RegistrySettings  # noqa: PLC0415
    from shared.environment import load  # noqa: PLC0415

    curves = load_calibration(calibration or load(RegistrySettings).calibration)
    if curves.clustering is None:
        raise CommandError(f"{curves.title} has no clustering; fit it again: resight calibrate")
    # The shuffled order compares early and late pictures alike.
    photographs = ordered(labelled(folders, None, species), "shuffle", 0)[:limit]
    progress = ConsoleProgress()
    encoder = model_file(model, cache / "models")
    seen = list(matched_sightings(photographs, encoder, cache, progress))
    found = check_catalogue(seen, curves.clustering)
    incomparable = sum(not each.number for each in seen)
    if incomparable:
        note(f"{incomparable} pictures could not be compared and were not checked")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page(found, seen))
    if json_file is not None:
        write_json(json_file, as_json(found))
    results.print(table(found[:SHOWN], f"{len(found)} likely faults in {len(seen)} pictures"))
    note(f"wrote {output}")
