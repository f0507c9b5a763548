"""What native libraries write to stderr, as lines of JSON like all others.

ONNX Runtime, OpenCV and a dying interpreter write to the file descriptor itself, past
Python's logging. A process of its own turns that into JSON, so that the last words of a
service that crashes are kept too; it ends when nobody can write to it any more.
"""

import logging
import os
import signal
import subprocess
import sys
from io import TextIOWrapper
from typing import TextIO

from shared.process.logs import JsonFormatter

# A library that writes without line feeds fills no memory.
LONGEST_LINE = 8192
_STDERR = 2


def redirect(service: str) -> TextIO:
    """Send what is written to stderr through the process, and return the real stderr for logs.

    Child processes inherit it. Call it once, before other threads are started.
    """
    sys.stderr.flush()
    real = os.dup(_STDERR)
    command = [sys.executable, "-P", "-m", "shared.process.native_stderr", service]
    wrapper = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=real,
        start_new_session=True,  # Ctrl-C of a terminal is not for it
    )
    if wrapper.stdin is None:  # for the type checker: a pipe was asked for
        raise RuntimeError("no pipe to the process that reads stderr")
    os.dup2(wrapper.stdin.fileno(), _STDERR)
    wrapper.stdin.close()
    wrapper.returncode = 0  # nobody waits for it: it lives longer than this process
    return TextIOWrapper(os.fdopen(real, "wb", 0), "utf-8", line_buffering=True)


def wrap(service: str, lines: TextIO, output: TextIO) -> None:
    """Write each line as JSON until nobody can write another."""
    formatter = JsonFormatter(service)
    while line := lines.readline(LONGEST_LINE):
        if text := line.rstrip():
            record = logging.LogRecord("native", logging.WARNING, "", 0, text, None, None)
            output.write(formatter.format(record) + "\n")
            output.flush()


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the service's last words come after these
    wrap(
        sys.argv[1],
        TextIOWrapper(sys.stdin.buffer, "utf-8", errors="replace"),
        TextIOWrapper(sys.stdout.buffer, "utf-8"),
    )
