"""`resight up` as a process of its own, as a user starts it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from embedded.servers import free_port
from resight.stack_state import running
from tests.support.waiting import wait_until

SECONDS = 90.0

Row = dict[str, Any]


@dataclass(frozen=True)
class Up:
    """A stack that runs as a process of its own."""

    process: subprocess.Popen[bytes]
    folder: Path

    def children(self) -> dict[str, int]:
        """Return the process IDs of servers and services by a word of their commands."""
        words = {"tansu": "broker", "valkey-server": "store", "services.": "service"}
        found = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(status.read_text().rpartition(")")[2].split()[1])
                command = status.with_name("cmdline").read_text().replace("\0", " ")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.process.pid and any(word in command for word in words):
                found[command] = int(status.parent.name)
        return found

    def child(self, word: str) -> int:
        (found,) = [pid for command, pid in self.children().items() if word in command]
        return found


def resight(*arguments: object, timeout: float = SECONDS) -> list[Row]:
    """Run a command that prints JSON, and return its lines."""
    command = [sys.executable, "-m", "resight", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def start(folder: Path, *options: object) -> Up:
    """Start a stack, on ports that another test's stack does not take."""
    ports = ("--port", free_port(), "--pages-port", free_port())
    log = folder.parent / "up.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "resight",
                "up",
                "--data-dir",
                str(folder),
                *map(str, (*ports, *options)),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    up = Up(process, folder)
    wait_until(
        lambda: running(folder) is not None or process.poll() is not None, told=log.read_text
    )
    assert process.poll() is None, log.read_text()
    return up


def gone(pids: Sequence[int]) -> bool:
    def lives(pid: int) -> bool:
        try:
            return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return False

    return not any(lives(pid) for pid in pids)


def decisions(folder: Path, count: int) -> dict[str, Row]:
    """Return the first `count` decisions by sighting."""
    rows = resight("watch", "--from-beginning", "--limit", count, "--data-dir", folder)
    return {row["sighting_id"]: row for row in rows}


def with_encoder(folder: Path, encoder: Path) -> Path:
    """Put the default encoder's file where a stack in a folder looks for it, before it makes it."""
    (folder / "models").mkdir(parents=True)
    shutil.copy(encoder, folder / "models")
    return folder


@contextmanager
def started(folder: Path, encoder: Path) -> Iterator[Up]:
    """Start a stack in a folder, and end it with the block unless it has ended."""
    up = start(with_encoder(folder, encoder))
    try:
        yield up
    finally:
        if up.process.poll() is None:
            up.process.terminate()
            up.process.wait(SECONDS)


def coats(folder: Path, count: int) -> Path:
    """Write pictures with a coat each: blots that keypoints stick to."""
    for seed in range(count):
        noise = np.random.default_rng(seed).normal(size=(240, 320)).astype(np.float32)
        coat = (cv2.GaussianBlur(noise, (0, 0), 6) > 0).astype(np.uint8) * 200
        assert cv2.imwrite(str(folder / f"{seed}.jpg"), coat)
    return folder
