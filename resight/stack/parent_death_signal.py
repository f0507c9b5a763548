"""Runs a command that the kernel kills when its parent ends, for whatever reason.

Otherwise a killed supervisor would leave servers behind that hold ports and locks.
`with_parent_death_signal` puts this file before a command as a separate program: it asks for the
signal, then becomes the command (same process ID). That needs no code between fork and exec, which
is unsafe in a process with threads. Only Linux has this signal; elsewhere the command runs without
it.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def with_parent_death_signal(command: Sequence[str]) -> list[str]:
    """Return `command` such that it is killed when the calling process ends.

    The kernel watches the *thread* that starts it: use one that lives as long as the process.
    """
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def main(parent: int, command: Sequence[str]) -> None:
    """Ask to be killed with `parent`, and exec `command`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the signal was set
        raise SystemExit(f"process {parent} has ended; not starting {command[0]}")
    os.execvp(command[0], list(command))  # noqa: S606 - becoming the command is the point


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
