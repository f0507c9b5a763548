"""Turns what native libraries write to stderr into JSON lines.

ONNX Runtime, OpenCV and a crashing interpreter write to the file descriptor directly, bypassing
Python's logging. A separate process turns that into JSON, so the last output of a crash is kept
too; it ends when the pipe closes.
"""

import logging
import os
import signal
import subprocess
import sys
from io import TextIOWrapper
from typing import TextIO

from shared.process.logs import JsonFormatter

# Bounds memory if a library writes without line feeds.
LONGEST_LINE = 8192
_STDERR = 2


def redirect(service: str) -> TextIO:
    """Redirect stderr through the process, and return the real stderr for logs.

    Child processes inherit it. Call it once, before starting threads.
    """
    sys.stderr.flush()
    real = os.dup(_STDERR)
    command = [sys.executable, "-P", "-m", "shared.process.native_stderr", service]
    wrapper = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=real,
        start_new_session=True,  # not interrupted by Ctrl-C
    )
    if wrapper.stdin is None:  # for the type checker: a pipe was asked for
        raise RuntimeError("no pipe to the process that reads stderr")
    os.dup2(wrapper.stdin.fileno(), _STDERR)
    wrapper.stdin.close()
    wrapper.returncode = 0  # not waited for: it outlives this process
    return TextIOWrapper(os.fdopen(real, "wb", 0), "utf-8", line_buffering=True)


def wrap(service: str, lines: TextIO, output: TextIO) -> None:
    """Write each line as JSON until the pipe closes."""
    formatter = JsonFormatter(service)
    while line := lines.readline(LONGEST_LINE):
        if text := line.rstrip():
            record = logging.LogRecord("native", logging.WARNING, "", 0, text, None, None)
            output.write(formatter.format(record) + "\n")
            output.flush()


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the service's last output follows
    wrap(
        sys.argv[1],
        TextIOWrapper(sys.stdin.buffer, "utf-8", errors="replace"),
        TextIOWrapper(sys.stdout.buffer, "utf-8"),
    )
