"""The embedded profile: the environment of each process of a stack on one machine.

Production and this profile run the same services; only settings differ. Work-arounds for the
embedded broker are only here.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embedded.servers import HOST, Server, broker, cache_store, free_port, ledger_store
from resight.stack_state import LABELS_SECRET, StackState
from shared.kafka.topics import INPUTS

SERVICES = tuple(INPUTS)
# Processes of the stack: the services, and the pages.
MODULES = {name: f"services.{name}.main" for name in SERVICES}
PAGES = {"api": "services.registry.api", "explainer": "services.matcher.explainer"}
ENCODER = "efficientnet_lite0"
KAFKA_PORT = 9092
PAGES_PORT = 8080

# Defaults: variables in the caller's environment take precedence. Two cores are shared by four
# services and three servers, so each gets one thread.
_PREFERENCES = {
    "RESIGHT_LOOKUP_MAX_UNDECIDED": "8",
    "RESIGHT_ENCODER_THREADS": "1",
    "RESIGHT_MATCHER_THREADS": "1",
    "RESIGHT_STAGE_DRAIN_SECONDS": "15",
    "OMP_NUM_THREADS": "1",
}
_CALIBRATION = "RESIGHT_REGISTRY_CALIBRATION"
_SECURED = re.compile(
    "RESIGHT_(KAFKA|LEDGER|CACHE|GALLERY|ENCODER|LABELS|TLS)_"
    "(SECURITY|USERNAME|(PASSWORD|API_KEY|SECRET)(_FILE)?|(CA|CERTIFICATE|KEY)_FILE|TRITON_TLS)"
)
# The embedded broker counts batches where Kafka counts records, and a first join of
# a group takes half a session.
_BROKER_WORKAROUNDS = {
    "RESIGHT_KAFKA_PRODUCER_BATCH_BYTES": "0",
    "RESIGHT_KAFKA_SESSION_TIMEOUT_SECONDS": "6",
}


@dataclass(frozen=True)
class Ports:
    """Loopback ports of the stack's processes."""

    broker: int
    ledger: int
    cache: int
    api: int
    explainer: int
    telemetry: Mapping[str, int]  # by process


def choose_ports(broker_port: int, api_port: int = 0) -> Ports:
    """Return free ports; 0: any, for the broker and the pages too."""
    free: set[int] = set()
    while len(free) < len(MODULES) + len(PAGES) + 5:
        free.add(free_port())
    chosen = iter(sorted(free - {broker_port, api_port}))
    return Ports(
        broker=broker_port or next(chosen),
        ledger=next(chosen),
        cache=next(chosen),
        api=api_port or next(chosen),
        explainer=next(chosen),
        telemetry={process: next(chosen) for process in (*MODULES, *PAGES)},
    )


@dataclass(frozen=True)
class Profile:
    """One embedded stack: its data folder, that of its models, and its ports. Paths are absolute.

    `encoder`: the encoder's ONNX file, `calibration`: the registry's file; None: the default one.
    `pages`: whether the review pages run too.
    """

    folder: Path
    models: Path
    ports: Ports
    encoder: Path | None = None
    calibration: Path | None = None
    pages: bool = False

    @property
    def processes(self) -> Mapping[str, str]:
        """Processes besides the servers: modules by name."""
        return MODULES | PAGES if self.pages else MODULES

    @property
    def model(self) -> Path:
        """The encoder's ONNX file; the default one is exported when it is missing."""
        return self.encoder or self.models / f"{ENCODER}.onnx"

    @property
    def crops(self) -> str:
        """URL of the store of crops."""
        return (self.folder / "crops").as_uri()

    @property
    def servers(self) -> tuple[Server, ...]:
        """The broker, then the stores."""
        return (
            broker(self.folder / "broker", self.ports.broker),
            ledger_store(self.folder / "ledger", self.ports.ledger),
            cache_store(self.folder / "cache", self.ports.cache),
        )

    def environment(self, service: str, caller: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of one process.

        Connections between the processes are the profile's; everything else comes from the caller's
        environment, RESIGHT_ settings included.
        """
        # The servers here are unencrypted, whatever the caller uses elsewhere.
        open_ = {name: value for name, value in caller.items() if not _SECURED.fullmatch(name)}
        chosen = {} if self.calibration is None else {_CALIBRATION: str(self.calibration)}
        return {
            **_PREFERENCES,
            **open_,
            **chosen,
            **_BROKER_WORKAROUNDS,
            "RESIGHT_KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{self.ports.broker}",
            "RESIGHT_KAFKA_INSTANCE_ID": f"{service}-0",
            "RESIGHT_TELEMETRY_HOST": HOST,
            "RESIGHT_TELEMETRY_PORT": str(self.ports.telemetry[service]),
            "RESIGHT_BLOBS_CROPS_URL": self.crops,
            "RESIGHT_BLOBS_CAPTURES_URL": (self.folder / "captures").as_uri(),
            "RESIGHT_ENCODER_KIND": "onnx",
            "RESIGHT_ENCODER_MODEL_PATH": str(self.model),
            "RESIGHT_GALLERY_KIND": "edge",
            "RESIGHT_GALLERY_PATH": str(self.folder / "gallery"),
            "RESIGHT_CACHE_URL": f"redis://{HOST}:{self.ports.cache}/0",
            "RESIGHT_LEDGER_URL": f"redis://{HOST}:{self.ports.ledger}/0",
            "RESIGHT_API_PORT": str(self.ports.api),
            "RESIGHT_API_SERVICES": json.dumps({name: self._telemetry(name) for name in MODULES}),
            "RESIGHT_API_EXPLAINER_URL": f"http://{HOST}:{self.ports.explainer}",
            "RESIGHT_LABELS_SECRET_FILE": str(self.folder / LABELS_SECRET),
            "RESIGHT_EXPLAINER_PORT": str(self.ports.explainer),
        }

    def state(self, pid: int) -> StackState:
        """Return the state by which other commands find this stack."""
        return StackState(
            pid=pid,
            bootstrap_servers=f"{HOST}:{self.ports.broker}",
            ledger_url=f"redis://{HOST}:{self.ports.ledger}/0",
            cache_url=f"redis://{HOST}:{self.ports.cache}/0",
            crops_url=self.crops,
            pages_url=f"http://{HOST}:{self.ports.api}" if self.pages else "",
            telemetry={process: self._telemetry(process) for process in self.processes},
        )

    def _telemetry(self, process: str) -> str:
        return f"http://{HOST}:{self.ports.telemetry[process]}"
