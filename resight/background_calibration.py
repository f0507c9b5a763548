"""After an import through the pages: a calibration is fitted, and says what may be expected."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from resight.stack.parent_death_signal import with_parent_death_signal
from services.registry.imports.register import FITTING, Import, ImportRegister
from shared.errors import Transient

LOOK_SECONDS = 2.0
# Some 15 minutes; a promise takes some 150 individuals.
MOST_PICTURES = 2000
# The page that shows what was said breaks lines by itself.
WIDE = "10000"
# What comes in meanwhile goes before.
NICE = 19


class CalibrationFitter:
    """Fits one at a time, in a process of its own. Use it as a stack's; `tick` does not wait."""

    def __init__(
        self, register: ImportRegister, folder: Path, model: Path, command: Sequence[str] = ()
    ) -> None:
        self._register = register
        self._output = folder / "calibration.json"
        self._log = folder / "logs" / "calibrate.log"
        self._command = command or [
            *(sys.executable, "-m", "resight", "calibrate", "--from-ledger"),
            *("--data-dir", str(folder), "--model", str(model), "--output", str(self._output)),
            *("--limit", str(MOST_PICTURES)),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._imports: list[Import] = []
        self._looked_at = -LOOK_SECONDS

    def tick(self) -> None:
        """Tell imports what came of a fit that has ended, and begin one where others are done."""
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        try:
            if self._process is not None and self._process.poll() is not None:
                self._tell(self._process.returncode)
                self._process = None
            if self._process is None:
                self._begin()
        except Transient:
            return  # the ledger starts again; so do we

    def stop(self) -> None:
        """End a fit that runs; it begins anew with the next stack."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _begin(self) -> None:
        # Nobody else fits: what is being fitted while we don't was left by a stack that ended.
        found = [
            each
            for each in self._register.latest()
            if each.state == "done" and each.enrolled and each.calibration in {"", FITTING}
        ]
        if not found:
            return
        self._imports = found
        self._note(FITTING)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                with_parent_death_signal(self._command),
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "COLUMNS": WIDE},
            )
        os.setpriority(os.PRIO_PROCESS, self._process.pid, NICE)

    def _tell(self, status: int) -> None:
        told = self._log.read_text(errors="replace").strip()
        if status == 0:
            self._note(f"{told}\nDecide by it with: resight up --calibration {self._output}")
        else:
            reason = told.rpartition("error: ")[2]
            self._note(f"These animals don't carry a calibration of their own yet: {reason}")

    def _note(self, told: str) -> None:
        self._imports = [replace(each, calibration=told) for each in self._imports]
        for each in self._imports:
            self._register.keep(each)
