"""Learns from the ledger's animals at night, and keeps the model if it is better."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from resight.background_command import BackgroundCommand
from services.registry.ledger import learning
from services.registry.ledger.learning import Learning
from services.registry.ledger.ledger import Ledger
from shared.errors import Transient
from shared.files import write_atomically

# Local hours in which it begins, and how often it looks.
HOURS = range(1, 5)
LOOK_SECONDS = 60.0
# Fewer new entries of the ledger teach little.
MIN_NEW = 200
TAKEN = "taken.json"
FOLDER = "learned"


@dataclass(frozen=True)
class LearnedModel:
    """Files of a learned model, which `resight up` uses from the next start on."""

    model: str
    calibration: str


def learned_model(data_dir: Path) -> LearnedModel | None:
    """Return the learned model of a data folder, if one was taken and its files are there."""
    try:
        found = LearnedModel(**json.loads((data_dir / FOLDER / TAKEN).read_text()))
    except FileNotFoundError:
        return None
    there = Path(found.model).is_file() and Path(found.calibration).is_file()
    return found if there else None


class NightlyLearner:
    """Runs `resight learn` once a night, if enough has come in. `tick` does not wait.

    `command` replaces the command, for tests; the output folder is added to it.
    """

    def __init__(
        self,
        ledger: Ledger,
        data_dir: Path,
        command: Sequence[str] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._folder = data_dir / FOLDER
        self._data_dir = data_dir
        self._command = command
        self._now = now
        self._running: BackgroundCommand | None = None
        self._output = self._folder
        self._entries = 0
        self._looked_at = -LOOK_SECONDS

    @property
    def running(self) -> bool:
        """Whether an attempt is running."""
        return self._running is not None

    def tick(self) -> None:
        """Record the result of an attempt that has ended, and begin one if it is time."""
        try:
            if self._running is not None:
                if (status := self._running.status) is not None:
                    self._told(self._running, status)
                    self._running = None
            elif time.monotonic() - self._looked_at >= LOOK_SECONDS:
                self._looked_at = time.monotonic()
                self._begin_if_due()
        except Transient:
            return  # the ledger is restarting; try again later

    def stop(self) -> None:
        """End a running attempt; the next night begins another."""
        if self._running is not None:
            self._running.stop()

    def _begin_if_due(self) -> None:
        at = datetime.fromtimestamp(self._now()).astimezone()
        if at.hour not in HOURS:
            return
        before = learning.latest(self._ledger.store)
        if before is not None and datetime.fromtimestamp(before.at).date() == at.date():
            return
        counts = [self._ledger.count(name, "entries") for name in self._ledger.galleries()]
        self._entries = sum(counts)
        if self._entries - (before.entries if before else 0) < MIN_NEW:
            return
        self._output = self._folder / f"{at:%Y-%m-%d}"
        arguments = ["learn", "--data-dir", str(self._data_dir), "--output", str(self._output)]
        command = [*self._command, str(self._output)] if self._command else ()
        log = self._data_dir / "logs" / "learn.log"
        self._running = BackgroundCommand(arguments, log, command)
        self._running.start()

    def _told(self, ended: BackgroundCommand, status: int) -> None:
        if status == 0:
            files = self._output / "model.onnx", self._output / "calibration.json"
            taken = LearnedModel(*map(str, files))
            write_atomically(self._folder / TAKEN, json.dumps(asdict(taken)).encode())
            told = "A better model was learned; it is used from the next start on."
        else:
            lines = [line for line in ended.log.read_text(errors="replace").splitlines() if line]
            last = lines[-1].removeprefix("error: ") if lines else f"see {ended.log}"
            told = f"No better model: {last}"
        attempt = Learning(self._now(), status == 0, told, self._entries)
        learning.keep(self._ledger.store, attempt)
