"""Fits a calibration, writes it, and prints its guarantees."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from resight.console import CommandError, ConsoleProgress, results, write_json
from resight.learning.pictures import LedgerPictures
from shared.errors import ResightError

if TYPE_CHECKING:
    from recognition.calibration.data_sets import CalibrationOptions
    from recognition.calibration.file import Calibrated


def calibrate(
    folders: Sequence[Path],
    ledger: LedgerPictures | None,
    model: Path,
    output: Path,
    *,
    options: "CalibrationOptions",
    json_file: Path | None = None,
) -> "Calibrated":
    """Fit a calibration to labelled pictures, and return it with its queries.

    Why it failed is written to the JSON file, too.

    Raises:
        CommandError: there are no pictures.
        CalibrationError: they are too few for the accepted error rates.
    """
    # PyTorch and scikit-learn take seconds to import, and few commands need them.
    from recognition.calibration import file  # noqa: PLC0415
    from recognition.calibration.data_sets import calibrate_data_sets  # noqa: PLC0415
    from resight.reports import calibration_summary  # noqa: PLC0415

    if not (folders or ledger or options.synthetic):
        raise CommandError(
            "no labelled pictures: name folders with a metadata.csv, --from-ledger, or "
            "--synthetic N"
        )
    try:
        with tempfile.TemporaryDirectory() as crops:
            others = {"ledger": ledger.photographs(Path(crops))} if ledger else {}
            fitted = calibrate_data_sets(folders, others, model, options, ConsoleProgress())
    except ResightError as error:
        if json_file is not None:
            write_json(json_file, {"error": str(error)})
        raise
    file.write(fitted.calibration, output)
    summary = calibration_summary.as_json(fitted)
    if json_file is not None:
        write_json(json_file, summary)
    results.print(f"wrote {output}: {summary['sightings']} sightings of {summary['fitted_on']}")
    for line in calibration_summary.lines(summary):
        results.print(f"  {line}")
    return fitted
