"""A supervised process ends, waits a growing while, and starts again."""

import subprocess
import sys
from pathlib import Path

import pytest

from resight.stack.child import HEALTHY_SECONDS, LONGEST_PAUSE_SECONDS, Child, Process


def child(tmp_path: Path, program: str) -> Child:
    def launch() -> Process:
        return subprocess.Popen([sys.executable, "-c", program])

    return Child("service", launch, tmp_path / "service.log")


def run_to_its_end(one: Child, started: float, ended: float) -> int | None:
    one.start(started)
    assert one.process is not None
    one.process.wait(20)
    return one.ended(ended)


def test_its_end_is_told_once_with_the_status(tmp_path: Path) -> None:
    one = child(tmp_path, "raise SystemExit(3)")
    assert run_to_its_end(one, 0.0, 1.0) == 3
    assert one.ended(1.0) is None


def test_the_pause_doubles_up_to_a_limit(tmp_path: Path) -> None:
    one = child(tmp_path, "raise SystemExit(1)")
    assert run_to_its_end(one, 0.0, 1.0) == 1
    assert not one.due(1.49)
    assert one.due(1.5)
    assert run_to_its_end(one, 1.5, 2.0) == 1
    assert not one.due(2.99)
    assert one.due(3.0)
    one.failures = 50
    assert one.pause == LONGEST_PAUSE_SECONDS


def test_a_long_healthy_run_is_no_failure_in_a_row(tmp_path: Path) -> None:
    one = child(tmp_path, "raise SystemExit(1)")
    one.failures = 7
    run_to_its_end(one, 0.0, HEALTHY_SECONDS + 1)
    assert one.failures == 1


def test_one_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    one = child(
        tmp_path,
        "import pathlib, signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        "while True: signal.pause()",
    )
    one.start(0.0)
    while not ready.exists():
        assert one.ended(0.0) is None
    one.ask_to_end()
    assert not one.end(0.1)
    assert one.process is None


@pytest.mark.timeout(30)
def test_a_process_dies_with_its_parent() -> None:
    parent = (
        "import signal, subprocess, sys\n"
        "from resight.stack.parent_death_signal import with_parent_death_signal\n"
        "command = [sys.executable, '-c', 'import signal; print(1, flush=True); signal.pause()']\n"
        "subprocess.Popen(with_parent_death_signal(command))\n"
        "signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"  # the child lives
        process.kill()
        # The child holds the other end too: this returns when both are gone.
        assert process.stdout.read() == b""
