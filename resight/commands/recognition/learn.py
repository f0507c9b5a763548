"""`resight learn`: adapt and calibrate the model on a ledger's confident individuals."""

from pathlib import Path
from typing import Annotated

import typer

from resight.commands.recognition import adapt, calibrate
from resight.console import DataDir, LedgerUrl, note, results
from resight.stack_state import DEFAULT_FOLDER


def learn(
    *,
    output: Annotated[Path, typer.Option(help="Output folder: model and calibration.")],
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of labelled pictures to add to the calibration; repeatable."),
    ] = None,
    drawn: Annotated[
        int,
        typer.Option(
            "--synthetic", "--drawn", min=0, help="Synthetic animals to add to the calibration."
        ),
    ] = 110,
    max_false_known: Annotated[
        float,
        typer.Option(min=0.0001, max=0.9999, help="Accepted rate of new animals called known."),
    ] = 0.02,
    cache: Annotated[Path, typer.Option(help="Cache folder for evidence.")] = Path("out/cache"),
) -> None:
    """Adapt and calibrate the model on a ledger's own animals, manually or every night.

    It is trained on one half of the confident individuals, and calibrated on the other half. If it
    does not recognise significantly more of the held-out sightings, it is rejected, and the exit
    status is 1. --output then holds the files for `resight up --model … --calibration …`.
    """
    adapt.fit(
        (),
        from_ledger=True,
        individuals="even",
        ledger_url=ledger_url,
        data_dir=data_dir,
        output=output,
        options=adapt.Options(),
    )
    calibrate.fit(
        data or (),
        from_ledger=True,
        individuals="odd",
        ledger_url=ledger_url,
        data_dir=data_dir,
        model=output / "model.onnx",
        output=output / "calibration.json",
        options=calibrate.Options(synthetic=drawn, max_false_known=max_false_known, cache=cache),
    )
    results.print(
        f"resight up --model {output / 'model.onnx'} --calibration {output / 'calibration.json'}",
        soft_wrap=True,
    )
    note("enrolled sightings are re-embedded at the next start")
