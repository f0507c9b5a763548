"""`resight learn`: adapt and calibrate the model on a ledger's confident individuals."""

from pathlib import Path
from typing import Annotated

import typer

from recognition.calibration.bound import RiskLevels
from resight.commands.recognition.options import CACHE, EvidenceCache, MaxFalseKnown, Synthetic
from resight.console import DataDir, LedgerUrl, note, results
from resight.learning import adaptation, calibration
from resight.learning.pictures import LedgerPictures
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
    synthetic: Synthetic = 110,
    max_false_known: MaxFalseKnown = RiskLevels.false_known,
    cache: EvidenceCache = CACHE,
) -> None:
    """Adapt and calibrate the model on a ledger's own animals, manually or every night.

    It is trained on one half of the confident individuals, and calibrated on the other half. If it
    does not recognise significantly more of the held-out sightings, it is rejected, and the exit
    status is 1. --output then holds the files for `resight up --model … --calibration …`.
    """
    # PyTorch and scikit-learn take seconds to import, and few commands need them.
    from recognition.calibration.data_sets import CalibrationOptions  # noqa: PLC0415

    model = adaptation.adapt((), LedgerPictures(ledger_url, data_dir, "even"), output)
    calibration.calibrate(
        data or (),
        LedgerPictures(ledger_url, data_dir, "odd"),
        model,
        output / "calibration.json",
        options=CalibrationOptions(
            risk_levels=RiskLevels(max_false_known), synthetic=synthetic, cache=cache
        ),
    )
    results.print(
        f"resight up --model {model} --calibration {output / 'calibration.json'}",
        soft_wrap=True,
    )
    note("enrolled sightings are re-embedded at the next start")
