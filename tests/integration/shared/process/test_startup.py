"""What a service says while it starts, and when it ends, is JSON to the last line."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from shared.kafka.topics import INPUTS

BEGIN = """
import os
from shared.process.startup import start_process
with start_process("embedder") as telemetry:
    import logging
    logging.getLogger("here").info("port %d", telemetry.port)
"""

THREAD = """
import threading
def thread():
    fails = threading.Thread(target=lambda: 1 / 0)
    fails.start()
    fails.join()
    1 / 0
"""


def _run(*arguments: str, **settings: str) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stderr.splitlines()]


def test_what_a_native_library_writes_is_a_line_of_json() -> None:
    status, lines = _run("-c", BEGIN + "    os.write(2, b'[W:onnxruntime] \\xff slow\\n')\n")
    assert status == 0
    told = {line["logger"]: line for line in lines}
    assert told["here"]["message"] == "port 9100"
    assert told["native"]["message"] == "[W:onnxruntime] \N{REPLACEMENT CHARACTER} slow"
    assert {line["service"] for line in lines} == {"embedder"}


def test_the_last_words_of_a_crash_are_kept() -> None:
    status, lines = _run("-c", BEGIN + "    os.abort()\n")
    assert status == -signal.SIGABRT
    assert any("Fatal Python error: Aborted" in line["message"] for line in lines)


@pytest.mark.parametrize("ending", ["    1 / 0", "    raise SystemExit(1)", "    thread()"])
def test_an_error_is_one_line(ending: str) -> None:
    status, lines = _run("-c", f"{THREAD}{BEGIN}{ending}\n")
    assert status == 1
    errors = [line for line in lines if line["level"] == "CRITICAL"]
    assert len(errors) == {"    1 / 0": 1, "    raise SystemExit(1)": 0}.get(ending, 2)
    assert all("ZeroDivisionError" in line["error"] for line in errors)


@pytest.mark.parametrize("service", INPUTS)
def test_every_service_starts_so_and_names_a_wrong_setting(service: str) -> None:
    status, lines = _run("-m", f"services.{service}.main", RESIGHT_TELEMETRY_PORT="99999")
    assert status == 78
    (line,) = lines
    assert (line["service"], line["level"]) == (service, "CRITICAL")
    assert "RESIGHT_TELEMETRY_PORT" in line["message"]
    assert "99999" in line["message"]
