"""Fits a calibration after imports through the pages, and reports its expected accuracy."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from resight.background_command import BackgroundCommand
from resight.reports import calibration_summary
from services.registry.imports.register import FITTING, Import, ImportRegister
from shared.errors import Transient

LOOK_SECONDS = 2.0
# About 15 minutes; a guarantee takes about 150 individuals.
MOST_PICTURES = 2000
SUMMARY = "calibration-summary.json"


class CalibrationFitter:
    """Fits one calibration at a time, in a separate process. `tick` does not wait."""

    def __init__(
        self, register: ImportRegister, folder: Path, model: Path, command: Sequence[str] = ()
    ) -> None:
        self._register = register
        self._output = folder / "calibration.json"
        arguments = [
            *("calibrate", "--from-ledger"),
            *("--data-dir", str(folder), "--model", str(model), "--output", str(self._output)),
            *("--limit", str(MOST_PICTURES), "--json", str(folder / SUMMARY)),
        ]
        self._fit = BackgroundCommand(arguments, folder / "logs" / "calibrate.log", command)
        self._summary = folder / SUMMARY
        self._imports: list[Import] = []
        self._looked_at = -LOOK_SECONDS

    def tick(self) -> None:
        """Report the result of a finished fit to its imports, and start one if imports are done."""
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        try:
            if (status := self._fit.status) is not None:
                self._tell(status)
                self._fit.taken()
            if not self._fit.running:
                self._begin()
        except Transient:
            return  # the ledger is restarting; try again later

    def stop(self) -> None:
        """End a running fit; it starts again with the next stack."""
        self._fit.stop()

    def _begin(self) -> None:
        # Only one fitter runs, so a fit marked as running that is not ours was left by a stack that
        # ended.
        found = [
            each
            for each in self._register.latest()
            if each.state == "done" and each.enrolled and each.calibration in {"", FITTING}
        ]
        if not found:
            return
        self._imports = found
        self._note(FITTING)
        self._summary.unlink(missing_ok=True)
        self._fit.start()

    def _tell(self, status: int) -> None:
        try:
            summary = json.loads(self._summary.read_text())
        except (OSError, ValueError):
            summary = {"error": f"the command ended with status {status}; see {self._fit.log}"}
        if status == 0 and "error" not in summary:
            use = f"Use it with: resight up --calibration {self._output}"
            self._note("\n".join([*calibration_summary.lines(summary), use]))
        else:
            self._note(f"Not calibrated separately yet: {summary.get('error', '')}")

    def _note(self, told: str) -> None:
        self._imports = [replace(each, calibration=told) for each in self._imports]
        for each in self._imports:
            self._register.keep(each)
