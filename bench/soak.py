"""Ten minutes of hostile records while services are killed: is every record accounted for?

Five kinds of client publish good and hostile records in turn, as fast as they are decided, hostile
clients of the API request what costs most, and a service is killed regularly. At the end every
record must have a decision for each of its animals, or a dead letter; no backlog may remain; no
process may have grown; the API must have stayed small, with fast sign-ins.
Usage: python -m bench.soak --minutes 10 --json FILE
"""

import io
import itertools
import json
import os
import signal
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image
from rich.console import Console
from rich.table import Table

from bench.account import accounted
from bench.clients import Clients, fits
from bench.hostile import Hostile
from bench.hostile import records as hostile_records
from bench.hostile_api import HostileClients
from catalogue.reading.catalogue import Photograph
from catalogue.reading.photographs import read
from recognition.synthetic.dataset import draw
from resight.stack.profile import Profile, choose_ports
from resight.stack.supervisor import Supervisor
from services.registry.api.access.keys import Access
from services.registry.ledger.store import Store
from shared.identifiers import gallery_name
from shared.kafka import backlog, topics
from shared.settings import KafkaSettings

HOSTILE_EVERY = 5  # one in five
WAITING = 12  # nothing is sent while this many records wait
LOOK_SECONDS = 2.0
# Limits for the API's memory and a sign-in.
API_MEBIBYTES, SIGN_IN_SECONDS = 400.0, 2.0
COMMAND = "resight publish"
DRAIN_SECONDS = 300.0
MEBIBYTE = 1024 * 1024


@dataclass
class Soak:
    """Results of the soak."""

    sent: Counter[str] = field(default_factory=Counter)  # by client
    kinds: set[str] = field(default_factory=set)
    hostile: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))


def main(
    minutes: Annotated[float, typer.Option(min=0.2, help="Duration of sending.")] = 10.0,
    kill_seconds: Annotated[float, typer.Option(min=1, help="Between two kills.")] = 20.0,
    output: Annotated[Path | None, typer.Option("--json", help="Write the numbers here.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Folder for the stack's data and logs.")] = None,
) -> None:
    """Run the soak on its own stack; exit status 1 if anything is unaccounted for."""
    with tempfile.TemporaryDirectory() as folder:
        place = keep or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        found = _run(place.resolve(), minutes, kill_seconds)
    _print(found)
    if output is not None:
        output.write_text(json.dumps(found, indent=2) + "\n")
    slow = found["sign_in_seconds"] > SIGN_IN_SECONDS or found["api_peak_mib"] > API_MEBIBYTES
    raise typer.Exit(bool(found["unaccounted"] or any(found["lag"].values()) or slow))


def _run(folder: Path, minutes: float, kill_seconds: float) -> dict[str, Any]:
    draw(folder / "drawn", individuals=24, seed=0)
    photographs = read([folder / "drawn"]).photographs
    reports: list[str] = []
    supervisor = Supervisor(
        Profile(folder / "stack", folder / "models", choose_ports(0), pages=True), reports.append
    )
    supervisor.start()
    soak = Soak()
    try:
        kafka = supervisor.state.kafka()
        clients = Clients(kafka)
        hostile = HostileClients(
            supervisor.state.pages_url,
            Access(Store(supervisor.state.ledger_url, 5.0)),
            gallery_name("", photographs[0].species),
            photographs[0].path.read_bytes(),
        )
        hostile.start()
        try:
            good = _variants(photographs, folder / "published.jpg")
            Uploads(supervisor, clients, good, soak).run(60 * minutes, kill_seconds)
            drained_seconds = _drain(supervisor, kafka)
        finally:
            hostile.stop()
            clients.close()
        found = accounted(kafka)
        lag = backlog.read(kafka).lag
    finally:
        supervisor.stop()
    return {
        "minutes": minutes,
        "sent": dict(soak.sent),
        "hostile": soak.hostile,
        "hostile_kinds": len(soak.kinds),
        "kills": dict(soak.kills),
        "drained_seconds": round(drained_seconds, 1),
        "lag": dict(lag),
        "api_answers": dict(sorted(hostile.statuses.items())),
        "api_peak_mib": round(max(used for _, used in soak.memory["api"]), 1),
        "sign_ins": len(hostile.sign_in_seconds),
        "sign_in_seconds": round(max(hostile.sign_in_seconds, default=0.0), 2),
        "memory_mib": _growth(soak),
        "reports": [line for line in reports if "ended" in line and "-9" not in line],
        **found,
    }


class Uploads:
    """Sends records of all clients in turn, kills services, and watches memory."""

    def __init__(
        self, supervisor: Supervisor, clients: Clients, good: Iterator[Photograph], soak: Soak
    ) -> None:
        self._supervisor = supervisor
        self._kafka = supervisor.state.kafka()
        self._clients = clients
        self._good = good
        self._soak = soak
        self._hostile = itertools.cycle(hostile_records())
        self._names = itertools.cycle([*clients.by_name, COMMAND])
        self._victims = itertools.cycle(topics.INPUTS)

    def run(self, seconds: float, kill_seconds: float) -> None:
        """Send for this long."""
        began = time.monotonic()
        next_kill, next_look, waiting = began + kill_seconds, began, 0
        number = 0
        while (now := time.monotonic()) - began < seconds:
            self._supervisor.tick()
            if now >= next_kill:
                next_kill += kill_seconds
                self._kill(next(self._victims))
            if now >= next_look:
                next_look = now + LOOK_SECONDS
                self._sample(now - began)
                waiting = sum(backlog.read(self._kafka).lag.values())
            if waiting < WAITING:
                number += 1
                self._one(hostile=number % HOSTILE_EVERY == 0)
                waiting += 1
            time.sleep(0.05)

    def _one(self, *, hostile: bool) -> None:
        if hostile:
            record = next(self._hostile)
            able = (each for each in self._names if each != COMMAND and fits(each, record))
            name = next(able)
            self._clients.by_name[name](record)
            self._soak.kinds.add(record.kind)
            self._soak.hostile += 1
        else:
            name = next(self._names)
            photograph = next(self._good)
            if name == COMMAND:
                self._clients.command(photograph)
            else:
                self._clients.by_name[name](_as_record(photograph))
        self._soak.sent[name] += 1

    def _kill(self, service: str) -> None:
        pid = self._supervisor.processes().get(service)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            self._soak.kills[service] += 1

    def _sample(self, at: float) -> None:
        for name, pid in self._supervisor.all_processes().items():
            self._soak.memory[name].append((at, _resident(pid)))


def _variants(photographs: tuple[Photograph, ...], path: Path) -> Iterator[Photograph]:
    """Yield the photographs repeatedly, each time slightly darker, shifted and re-encoded."""
    rng = np.random.default_rng(0)
    for photograph in itertools.cycle(photographs):
        pixels = np.asarray(Image.open(photograph.path).convert("RGB"))
        moved = np.roll(pixels, tuple(rng.integers(-3, 4, 2)), axis=(0, 1))
        darker = (moved * rng.uniform(0.85, 1.0)).astype(np.uint8)
        target = io.BytesIO()
        Image.fromarray(darker).save(target, "JPEG", quality=int(rng.integers(85, 95)))
        path.write_bytes(target.getvalue())
        yield Photograph(
            path,
            photograph.species,
            deployment=photograph.deployment,
            captured_at=photograph.captured_at,
            viewpoint=photograph.viewpoint,
            identities=("",),
        )


def _as_record(photograph: Photograph) -> Hostile:
    headers = [
        ("content-type", b"image/jpeg"),
        ("species", photograph.species.encode()),
        ("deployment", photograph.deployment.encode()),
    ]
    key = photograph.deployment.encode()
    return Hostile("good", photograph.path.read_bytes(), headers, key)


def _resident(pid: int) -> float:
    """Return a process's resident memory in MiB, 0 when it has just ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


def _growth(soak: Soak) -> dict[str, dict[str, float]]:
    """Return for each process its median memory in the first and in the last third."""
    found = {}
    for name, samples in soak.memory.items():
        end = samples[-1][0]
        first = [used for at, used in samples if at <= end / 3 and used]
        last = [used for at, used in samples if at >= 2 * end / 3 and used]
        if first and last:
            found[name] = {
                "first_third": round(statistics.median(first), 1),
                "last_third": round(statistics.median(last), 1),
                "peak": round(max(used for _, used in samples), 1),
            }
    return found


def _drain(supervisor: Supervisor, kafka: KafkaSettings) -> float:
    """Wait until the backlog is empty; return how long that took."""
    began = time.monotonic()
    while time.monotonic() - began < DRAIN_SECONDS:
        supervisor.tick()
        if all(supervisor.readiness().values()) and not any(backlog.read(kafka).lag.values()):
            break
        time.sleep(1)
    return time.monotonic() - began


def _print(found: dict[str, Any]) -> None:
    console = Console()
    table = Table("what", "how much", title="soak")
    for name, value in found.items():
        if name != "memory_mib":
            table.add_row(name, json.dumps(value))
    console.print(table)
    memory = Table("process", "MiB, first third", "last third", "peak", title="resident memory")
    for name, used in found["memory_mib"].items():
        memory.add_row(name, *(str(each) for each in used.values()))
    console.print(memory)


if __name__ == "__main__":
    typer.run(main)
