"""Is everything ready, and how much is on its way: the services behind the pages."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shared.errors import Transient
from shared.kafka import backlog
from shared.kafka.topics import INPUTS
from shared.process.readiness import readiness
from shared.settings import KafkaSettings

# Whoever looks again so soon sees the same.
KEPT_SECONDS = 2.0


@dataclass(frozen=True)
class ServiceStatus:
    """One service.

    waiting: records that it has still to handle; None: the broker does not answer
    ready: whether it takes work; None: nobody has said where it could be asked
    trouble: why it takes none
    """

    name: str
    waiting: int | None
    ready: bool | None
    trouble: str = ""


@dataclass(frozen=True)
class SystemState:
    """The services in the order in which a picture passes them, and what is wrong as a whole."""

    stages: tuple[ServiceStatus, ...]
    trouble: str = ""

    @property
    def ready(self) -> bool:
        """Whether nothing is known to be wrong."""
        return not self.trouble and all(each.ready is not False for each in self.stages)

    @property
    def asked(self) -> bool:
        """Whether every service could be asked."""
        return all(each.ready is not None for each in self.stages)

    @property
    def waiting(self) -> int:
        """How many records are on their way."""
        return sum(each.waiting or 0 for each in self.stages)


class System:
    """Asks the broker, and the services where their addresses are given."""

    def __init__(self, kafka: KafkaSettings, addresses: Mapping[str, str]) -> None:
        self._kafka = kafka
        self._addresses = addresses
        self._lock = threading.Lock()
        self._state = SystemState(())
        self._read_at = -KEPT_SECONDS

    def now(self) -> SystemState:
        """Return how it is now, or was a moment ago."""
        with self._lock:
            if time.monotonic() - self._read_at > KEPT_SECONDS:
                self._state = self._read()
                self._read_at = time.monotonic()
            return self._state

    def _read(self) -> SystemState:
        with ThreadPoolExecutor(max_workers=len(INPUTS)) as pool:
            asked = {
                name: pool.submit(readiness, self._addresses[name])
                for name in INPUTS
                if name in self._addresses
            }
            lag: Mapping[str, int] = {}
            trouble = ""
            try:
                lag = backlog.read(self._kafka).lag
            except Transient as error:
                trouble = str(error)
            stages = []
            for name in INPUTS:
                said = asked[name].result() if name in asked else None
                why = "" if said is None or said.ready else said.trouble or "it does not answer"
                stages.append(
                    ServiceStatus(name, lag.get(name), None if said is None else said.ready, why)
                )
        return SystemState(tuple(stages), trouble)
