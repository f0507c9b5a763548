"""Optimises a large shard while it serves: on a copy, in another process, then swapped in.

Qdrant Edge merges segments and builds graphs in one call that holds the GIL: seconds at 10,000
sightings, many minutes above 100,000. Until it is done the shard is searched exactly, which is
correct but slower. The process is `python -m services.lookup.galleries.optimisation FOLDER
SETTINGS`.
"""

import ctypes
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import qdrant_edge as qdrant

from services.lookup.galleries.shards import configuration
from services.lookup.settings import GallerySettings

COPY = ".optimising"
REPLACED = ".replaced"

# Enrolments during optimisation are kept in memory, about 16 kB each, and then added to the copy.
MOST_MEANWHILE = 20_000

_NICENESS = 10
_PR_SET_PDEATHSIG = 1  # linux/prctl.h

log = logging.getLogger(__name__)


class Optimisation:
    """A copy of a shard that is being optimised. `close` discards it.

    Args:
        folder: of the shard, which has been flushed and is not being written.
    """

    def __init__(self, folder: Path, settings: GallerySettings) -> None:
        self._folder = folder
        self._copy = folder.with_name(folder.name + COPY)
        self._settings = settings
        self._meanwhile: list[qdrant.Point] = []
        self._began = time.monotonic()
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(folder, self._copy)
        command = [sys.executable, "-P", "-m", "services.lookup.galleries.optimisation"]
        self._process: subprocess.Popen[bytes] | None = subprocess.Popen(  # noqa: S603
            [*command, str(self._copy), settings.model_dump_json()], stdin=subprocess.DEVNULL
        )

    def note(self, points: list[qdrant.Point]) -> None:
        """Keep what was written to the shard, for the copy; gives up when that is too much."""
        self._meanwhile += points
        if len(self._meanwhile) > MOST_MEANWHILE:
            log.warning(
                "too many enrolments arrived to optimise %s now; it is tried again at the next "
                "start",
                self._folder,
            )
            self.close()

    def over(self) -> bool:
        """Return whether the process has ended or was discarded."""
        return self._process is None or self._process.poll() is not None

    def swap(self, release: Callable[[], None]) -> bool:
        """Replace the shard with the copy; False: it was not optimised.

        `release` closes the shard when everything is ready.
        """
        if self._process is None or self._process.returncode != 0:
            if self._process is not None:
                log.error("optimising %s failed; it is searched exactly", self._folder)
            self.close()
            return False
        self._process = None
        shard = qdrant.EdgeShard.load(str(self._copy), configuration(self._settings))
        if self._meanwhile:
            shard.update(qdrant.UpdateOperation.upsert_points(self._meanwhile))
            shard.flush()
        shard.close()
        release()
        replaced = self._folder.with_name(self._folder.name + REPLACED)
        self._folder.rename(replaced)
        self._copy.rename(self._folder)
        shutil.rmtree(replaced, ignore_errors=True)
        log.info("optimised %s in %.0f s", self._folder, time.monotonic() - self._began)
        return True

    def close(self) -> None:
        """Discard: end the process and remove the copy."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.wait()
        shutil.rmtree(self._copy, ignore_errors=True)
        self._meanwhile = []


def tidy(gallery: Path) -> None:
    """Clean a folder of shards after a process that ended at any moment."""
    for replaced in gallery.glob(f"*{REPLACED}"):
        shard = replaced.with_name(replaced.name.removesuffix(REPLACED))
        if shard.exists():
            shutil.rmtree(replaced)
        else:
            replaced.rename(shard)
    for copy in gallery.glob(f"*{COPY}"):
        shutil.rmtree(copy)


def main(folder: str, settings: str) -> None:
    """Optimise the shard in a folder, at low priority."""
    os.nice(_NICENESS)
    if sys.platform == "linux":  # end with the service that started it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    shard = qdrant.EdgeShard.load(
        folder, configuration(GallerySettings.model_validate_json(settings))
    )
    shard.optimize()
    shard.flush()
    shard.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
