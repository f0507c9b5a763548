"""glibc's heap, kept small in a process of many threads.

By default each thread may get an arena of its own, and what was freed in it stays with the process:
forty threads that each held a picture of 30 MB once are a gigabyte for ever. Two arenas, and large
blocks that are mapped apart and given back at once, cost a little time and no memory.
See mallopt(3).
"""

import ctypes

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
_LARGE_BYTES = 128 * 1024


def keep_small() -> None:
    """Set it for this process; call it before there are threads. Other C libraries need it not."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 2)
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
