"""`resight calibrate`: fit a calibration to labelled pictures."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from resight.console import (
    CommandError,
    ConsoleProgress,
    DataDir,
    FromLedger,
    Individuals,
    LedgerUrl,
    Share,
    results,
)
from resight.ledger_tools.confident_individuals import confident_photographs
from resight.stack_state import DEFAULT_FOLDER
from shared.errors import ResightError

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
    drawn: Annotated[
        int, typer.Option("--synthetic", "--drawn", min=0, help="Synthetic animals to add.")
    ] = 0,
    split: Annotated[
        str | None,
        typer.Option(help="Only rows of metadata.csv whose `split` column has this value."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum pictures per folder.")] = None,
    max_false_known: Annotated[
        float,
        typer.Option(
            min=0.0001,
            max=0.9999,
            help="Accepted rate of new animals called known, and of known animals given a wrong "
            "name.",
        ),
    ] = 0.02,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="Confidence of the guarantee.")
    ] = 0.95,
    max_false_new: Annotated[
        float, typer.Option(min=0, max=1, help="Accepted rate of known animals called new.")
    ] = 0.3,
    check: Annotated[
        int,
        typer.Option(
            min=0,
            help="Repeat a holdout check of the guarantee this often: thresholds from one half of "
            "the individuals, errors on the other.",
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Random seed of the arrival order.")] = 0,
    cache: Annotated[Path, typer.Option(help="Cache folder for evidence.")] = Path("out/cache"),
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="Write a JSON summary to this file.", show_default=False),
    ] = None,
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
    found = fit(
        data or (),
        from_ledger=from_ledger,
        individuals=individuals,
        ledger_url=ledger_url,
        data_dir=data_dir,
        model=model,
        output=output,
        options=Options(
            name, drawn, split, limit, max_false_known, confidence, max_false_new, seed, cache
        ),
        json_file=json_file,
    )
    if check:
        _check(found, check, seed)


@dataclass(frozen=True)
class Options:
    """The options of `resight calibrate` that other commands do not change."""

    name: str = "own"
    synthetic: int = 0
    split: str | None = None
    limit: int | None = None
    max_false_known: float = 0.02
    confidence: float = 0.95
    max_false_new: float = 0.3
    seed: int = 0
    cache: Path = Path("out/cache")


def fit(
    data: Sequence[Path],
    *,
    from_ledger: bool,
    individuals: Share,
    ledger_url: str | None,
    data_dir: Path,
    model: Path,
    output: Path,
    options: Options,
    json_file: Path | None = None,
) -> "Calibrated":
    """Fit a calibration, write it, and print its guarantees; failures go into the JSON too."""
    # PyTorch and scikit-learn take seconds to import, and few commands need them.
    from recognition.calibration import file  # noqa: PLC0415
    from recognition.calibration.data_sets import (  # noqa: PLC0415
        CalibrationOptions,
        calibrate_data_sets,
    )
    from recognition.calibration.thresholds import RiskLevels  # noqa: PLC0415
    from resight.reports import calibration_summary  # noqa: PLC0415

    if not (data or from_ledger or options.synthetic):
        raise CommandError(
            "no labelled pictures: name folders with a metadata.csv, --from-ledger, or "
            "--synthetic N"
        )
    risk_levels = RiskLevels(options.max_false_known, options.max_false_new, options.confidence)
    try:
        with tempfile.TemporaryDirectory() as crops:
            others = (
                {"ledger": confident_photographs(ledger_url, data_dir, Path(crops), individuals)}
                if from_ledger
                else {}
            )
            fitted = calibrate_data_sets(
                data,
                others,
                model,
                CalibrationOptions(
                    risk_levels=risk_levels,
                    name=options.name,
                    synthetic=options.synthetic,
                    split=options.split,
                    limit=options.limit,
                    seed=options.seed,
                    cache=options.cache,
                ),
                ConsoleProgress(),
            )
    except ResightError as error:
        _write_json(json_file, {"error": str(error)})
        raise
    file.write(fitted.calibration, output)
    summary = calibration_summary.as_json(fitted)
    _write_json(json_file, summary)
    results.print(f"wrote {output}: {summary['sightings']} sightings of {summary['fitted_on']}")
    for line in calibration_summary.lines(summary):
        results.print(f"  {line}")
    return fitted


def _write_json(file: Path | None, value: dict[str, Any]) -> None:
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value, indent=2) + "\n")


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
