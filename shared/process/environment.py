"""Environment of a process that handles untrusted pictures: no settings, no credentials."""

import os
from collections.abc import Mapping

# What Python and its libraries need to start; no credentials.
_KEPT = frozenset(
    {
        *("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONHASHSEED", "PYTHONPATH"),
        *("PYTHONWARNINGS", "TMPDIR", "TZ", "VIRTUAL_ENV"),
    }
)


def scrubbed(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return an environment without settings and credentials, limited to one thread."""
    kept = {name: value for name, value in environment.items() if name in _KEPT}
    # More threads would only add stacks to its memory.
    return {**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
