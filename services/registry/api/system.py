"""Status of the services and their backlogs."""

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

# The status is cached for this long.
KEPT_SECONDS = 2.0


@dataclass(frozen=True)
class ServiceStatus:
    """One service.

    waiting: its backlog in records; None: the broker does not respond
    ready: whether it is ready; None: its address is not configured
    trouble: why it is not ready
    """

    name: str
    waiting: int | None
    ready: bool | None
    trouble: str = ""


@dataclass(frozen=True)
class SystemState:
    """The services in processing order, and problems of the whole system."""

    stages: tuple[ServiceStatus, ...]
    trouble: str = ""

    @property
    def ready(self) -> bool:
        """Whether no problem is known."""
        return not self.trouble and all(each.ready is not False for each in self.stages)

    @property
    def asked(self) -> bool:
        """Whether all services have configured addresses."""
        return all(each.ready is not None for each in self.stages)

    @property
    def waiting(self) -> int:
        """Total backlog in records."""
        return sum(each.waiting or 0 for each in self.stages)


class System:
    """Queries the broker, and the services with configured addresses."""

    def __init__(self, kafka: KafkaSettings, addresses: Mapping[str, str]) -> None:
        self._kafka = kafka
        self._addresses = addresses
        self._lock = threading.Lock()
        self._state = SystemState(())
        self._read_at = -KEPT_SECONDS

    def now(self) -> SystemState:
        """Return the status, possibly cached."""
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
                why = "" if said is None or said.ready else said.trouble or ("it does not respond")
                stages.append(
                    ServiceStatus(name, lag.get(name), None if said is None else said.ready, why)
                )
        return SystemState(tuple(stages), trouble)
