"""`resight up` for real: it starts, publishes, decides, mends what breaks, and leaves nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from resight.stack.state import running
from resight.target import open_ledger
from tests.model_files import NAME, tiny_model

PICTURES = 3
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
    log = folder.parent / "up.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "resight", "up", "--data-dir", str(folder), *map(str, options)],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    up = Up(process, folder)
    wait_until(lambda: running(folder) is not None, process, log)
    return up


def wait_until(
    true: Callable[[], bool],
    process: "subprocess.Popen[bytes] | None" = None,
    log: Path | None = None,
) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        told = log.read_text() if log else ""
        assert process is None or process.poll() is None, told
        assert time.monotonic() < deadline, told
        time.sleep(0.1)


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


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with a coat each: blots that keypoints stick to."""
    folder = tmp_path_factory.mktemp("gate")
    for seed in range(PICTURES):
        noise = np.random.default_rng(seed).normal(size=(240, 320)).astype(np.float32)
        coat = (cv2.GaussianBlur(noise, (0, 0), 6) > 0).astype(np.uint8) * 200
        assert cv2.imwrite(str(folder / f"{seed}.jpg"), coat)
    return folder


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    up = start(tmp_path_factory.mktemp("up") / "data")
    yield up
    if up.process.poll() is None:
        up.process.terminate()
        up.process.wait(SECONDS)


def test_published_pictures_are_decided(up: Up, pictures: Path) -> None:
    (sent,) = resight("publish", pictures, "--data-dir", up.folder)
    assert sent["published"] == PICTURES
    made = decisions(up.folder, PICTURES)
    assert len(made) == PICTURES
    (status,) = resight("status", "--data-dir", up.folder)
    assert all(service["ready"] for service in status["services"].values())
    assert status["dead_letters"] == 0


def test_a_second_stack_does_not_start_in_the_same_folder(up: Up) -> None:
    command = [sys.executable, "-m", "resight", "up", "--data-dir", str(up.folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1
    assert "already runs" in done.stderr
    assert "Traceback" not in done.stderr
    assert running(up.folder) is not None


def test_a_service_that_is_killed_comes_back(up: Up) -> None:
    killed = up.child("services.matcher")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: killed not in up.children().values())
    wait_until(lambda: any("services.matcher" in command for command in up.children()))
    wait_until(
        lambda: resight("status", "--data-dir", up.folder)[0]["services"]["matcher"]["ready"]
    )


def test_a_broker_that_is_killed_comes_back_with_all_decisions(up: Up, pictures: Path) -> None:
    before = decisions(up.folder, PICTURES)
    services = [pid for command, pid in up.children().items() if "services." in command]
    os.kill(up.child("tansu"), signal.SIGKILL)
    wait_until(lambda: gone(services))
    wait_until(lambda: len(up.children()) == 7)
    assert decisions(up.folder, PICTURES) == before
    # Captures that were lost with it are published again, and stay the same sightings.
    resight("publish", pictures, "--data-dir", up.folder)
    again = resight("watch", "--from-beginning", "--limit", 2 * PICTURES, "--data-dir", up.folder)
    assert {row["sighting_id"]: row for row in again} == before


def test_what_it_knows_survives_a_stop_and_another_model_takes_it_over(
    up: Up, tmp_path: Path
) -> None:
    before = decisions(up.folder, PICTURES)
    pids = list(up.children().values())
    up.process.terminate()
    assert up.process.wait(SECONDS) == 0
    assert gone(pids)
    assert running(up.folder) is None

    again = start(up.folder, "--model", tiny_model(tmp_path / "tiny.onnx"))
    try:
        assert decisions(up.folder, PICTURES) == before
        state = running(up.folder)
        assert state is not None
        with open_ledger(state.ledger_url) as ledger:
            enrolled = [
                entry.enrolment.embedding.model.name
                for gallery in ledger.galleries()
                for entry in ledger.entries(gallery)
                if entry.enrolment
            ]
        assert len(enrolled) > 0
        assert set(enrolled) == {NAME}
        pids = list(again.children().values())
        assert len(pids) == 7
    finally:
        again.process.kill()
        again.process.wait()
    wait_until(lambda: gone(pids))
    assert running(up.folder) is None
