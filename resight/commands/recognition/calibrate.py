"""`resight calibrate`: fit a calibration to labelled pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recognition.calibration.bound import RiskLevels
from resight.commands.recognition.options import (
    CACHE,
    EvidenceCache,
    JsonFile,
    MaxFalseKnown,
    SplitColumn,
    Synthetic,
)
from resight.console import DataDir, FromLedger, Individuals, LedgerUrl, results
from resight.learning import calibration as learning
from resight.learning.pictures import LedgerPictures
from resight.stack_state import DEFAULT_FOLDER

if TYPE_CHECKING:
    from recognition.calibration.file import Calibrated


def calibrate(
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FOLDER…", help="Labelled pictures: folders with a metadata.csv each."
        ),
    ] = None,
    *,
    from_ledger: FromLedger = False,
    individuals: Individuals = "all",
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    output: Annotated[Path, typer.Option(help="Output file.")],
    model: Annotated[Path, typer.Option(help="Encoder (ONNX), see `resight export`.")],
    name: Annotated[str, typer.Option(help="Name of the calibration, shown in decisions.")] = "own",
    synthetic: Synthetic = 0,
    split: SplitColumn = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum pictures per folder.")] = None,
    max_false_known: MaxFalseKnown = RiskLevels.false_known,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="Confidence of the guarantee.")
    ] = RiskLevels.confidence,
    max_false_new: Annotated[
        float, typer.Option(min=0, max=1, help="Accepted rate of known animals called new.")
    ] = RiskLevels.false_new,
    check: Annotated[
        int,
        typer.Option(
            min=0,
            help="Repeat a holdout check of the guarantee this often: thresholds from one half of "
            "the individuals, errors on the other.",
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Random seed of the arrival order.")] = 0,
    cache: EvidenceCache = CACHE,
    json_file: JsonFile = None,
) -> None:
    """Fit a calibration: probabilities from evidence, and thresholds for known, new and review.

    The pictures go through the services' own code, each compared with those before it, and once
    more as if its animal were new. You choose the accepted error rates; the thresholds keep them,
    or you are told how many more animals are needed. A species with enough sightings gets its own
    curve; the pooled curve of all serves other species: its thresholds keep your error on each
    folder's animals when fitted on the other folders alone.

    With --from-ledger a gallery gets its own curve from its confident individuals: those reviewed
    by people, and those without serious questions.

    How uncertain sightings are clustered is learned from all folders together, so it also serves
    species in none of them.
    """
    # PyTorch and scikit-learn take seconds to import, and few commands need them.
    from recognition.calibration.data_sets import CalibrationOptions  # noqa: PLC0415

    found = learning.calibrate(
        data or (),
        LedgerPictures(ledger_url, data_dir, individuals) if from_ledger else None,
        model,
        output,
        options=CalibrationOptions(
            risk_levels=RiskLevels(max_false_known, max_false_new, confidence),
            name=name,
            synthetic=synthetic,
            split=split,
            limit=limit,
            seed=seed,
            cache=cache,
        ),
        json_file=json_file,
    )
    if check:
        _check(found, check, seed)


def _check(fitted: "Calibrated", count: int, seed: int) -> None:
    """Print in how many repetitions each guarantee held."""
    from recognition.calibration.bound import CalibrationError  # noqa: PLC0415
    from recognition.calibration.holdout_check import check_holdout  # noqa: PLC0415

    for species, asked in fitted.queries.items():
        try:
            found = check_holdout(asked, fitted.risk_levels, count, seed)
        except CalibrationError as error:
            results.print(f"  {species}: half of the individuals can't be checked: {error}")
        else:
            results.print(
                f"  {species}: the guarantee held in {found.kept} of {count} repetitions; "
                f"false known {sum(found.rates) / count:.4f} on average, "
                f"{max(found.rates):.4f} at worst"
            )
