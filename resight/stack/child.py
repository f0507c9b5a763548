"""A supervised process, restarted with growing pauses."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# A process that ran for this long before it ended is restarted without delay.
HEALTHY_SECONDS = 60.0

Process = subprocess.Popen[bytes]


@dataclass
class Child:
    """A process and its history. Times are in seconds of any monotonic clock."""

    name: str
    launch: Callable[[], Process]
    log: Path
    process: Process | None = None
    failures: int = 0  # consecutive
    ready: bool = False
    trouble: str = ""  # why it is not ready
    announced: bool = False  # whether its readiness was reported after this start
    _started: float = 0.0
    _due: float = 0.0

    def start(self, now: float) -> None:
        """Launch it."""
        self.process = self.launch()
        self._started = now
        self.ready = self.announced = False
        self.trouble = ""

    def ended(self, now: float) -> int | None:
        """Return the exit status once after it has ended.

        From then on `due` says when to start it again.
        """
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self.process = None
        self.ready = False
        self.failures = 1 if now - self._started > HEALTHY_SECONDS else self.failures + 1
        self._due = now + self.pause
        return status

    @property
    def pause(self) -> float:
        """Seconds between its end and its next start."""
        doubled = FIRST_PAUSE_SECONDS * 2.0 ** (min(self.failures, 10) - 1)
        return min(doubled, LONGEST_PAUSE_SECONDS)

    def due(self, now: float) -> bool:
        """Return whether it is down and its pause is over."""
        return self.process is None and now >= self._due

    def ask_to_end(self) -> None:
        """Send SIGTERM: services finish their batch."""
        if self.process is not None:
            self.process.terminate()

    def end(self, seconds: float) -> bool:
        """Wait this long, then kill it. Return whether it ended by itself."""
        process, self.process, self.ready = self.process, None, False
        if process is None:
            return True
        try:
            process.wait(max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
        return True

    def log_tail(self, characters: int = 1500) -> str:
        """Return the end of its log."""
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""
