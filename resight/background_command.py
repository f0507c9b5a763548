"""One of our commands as a background process that lets new captures go first."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from resight.stack.parent_death_signal import with_parent_death_signal

NICE = 19


class BackgroundCommand:
    """Runs `resight` with the given arguments; `log` gets its output."""

    def __init__(self, arguments: Sequence[str], log: Path, command: Sequence[str] = ()) -> None:
        self._command = command or [sys.executable, "-P", "-m", "resight", *arguments]
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it was started, and its result was not taken yet."""
        return self._process is not None

    def start(self) -> None:
        """Start it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                with_parent_death_signal(self._command), stdout=log, stderr=subprocess.STDOUT
            )
        os.setpriority(os.PRIO_PROCESS, self._process.pid, NICE)

    @property
    def status(self) -> int | None:
        """Its exit status once it has ended, until its result is taken."""
        return None if self._process is None else self._process.poll()

    def taken(self) -> None:
        """Note that its result was recorded; recording may fail, and is then tried again."""
        self._process = None

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
