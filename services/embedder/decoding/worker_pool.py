"""A pool of decode workers, so that a hostile picture cannot end the embedder.

Examples are a JPEG of 400 kB that takes minutes, a PNG of 200 kB that takes gigabytes, and anything
that crashes a native library. Each worker has limits on time and memory; a picture that exceeds
them is poison, and the worker is replaced.
"""

import json
import queue
import signal
import weakref
from collections.abc import Sequence
from dataclasses import asdict

from services.embedder.decoding.cutting import Cuts, Limits
from services.embedder.decoding.worker_process import DecodeProcess, EndedError
from services.embedder.encoders.preparation import Preparation
from services.embedder.metrics import WORKERS_ENDED
from shared.errors import Poison, Transient
from shared.messages import Box

# Beyond this multiple of its CPU time, plus a constant, a worker counts as hung.
_PATIENCE_FACTOR = 6
_PATIENCE_SECONDS = 30.0


class DecodeWorkers:
    """A pool of workers, each started when first needed. Thread-safe.

    Args:
        count: number of workers.
        seconds: CPU time per picture.
        megabytes: memory per worker, including about 150 for itself.
    """

    def __init__(
        self,
        count: int,
        preparation: Preparation,
        limits: Limits,
        seconds: float,
        megabytes: int,
    ) -> None:
        self._seconds = seconds
        self._patience = _PATIENCE_FACTOR * seconds + _PATIENCE_SECONDS
        self._settings = json.dumps(
            {
                "preparation": asdict(preparation),
                "limits": asdict(limits),
                "seconds": seconds,
                "megabytes": megabytes,
            }
        )
        self._idle: queue.LifoQueue[DecodeProcess | None] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(None)
        self._running: set[DecodeProcess] = set()
        weakref.finalize(self, _end_all, self._running)

    def warm_up(self) -> None:
        """Start all workers now, so that the first pictures need not wait.

        Raises:
            Transient: a worker cannot be started.
        """
        idle = [self._idle.get() for _ in range(self._idle.qsize())]
        try:
            for place, process in enumerate(idle):
                idle[place] = process or self._started()
        finally:
            for process in idle:
                self._idle.put(process)

    def cut(self, data: bytes, boxes: Sequence[Box]) -> Cuts:
        """Run `cutting.cut` in a worker; waits for an idle one.

        Raises:
            Poison: as there, or of kind too-slow, too-much-memory or ends-the-decoder.
            Transient: no worker can be started.
        """
        try:
            return self._attempt(data, boxes)
        except EndedError as error:
            if not error.from_outside:
                raise self._blame(error) from error
        try:
            return self._attempt(data, boxes)
        except EndedError as error:
            raise self._blame(error) from error

    def _attempt(self, data: bytes, boxes: Sequence[Box]) -> Cuts:
        process = self._idle.get()
        try:
            process = process or self._started()
            return process.cut(data, boxes)
        finally:
            if process is not None and process.ended:
                WORKERS_ENDED.inc()
                self._running.discard(process)
                process = None
            self._idle.put(process)

    def _started(self) -> DecodeProcess:
        try:
            process = DecodeProcess(self._settings, self._patience)
        except OSError as error:  # out of memory or processes, or modules are missing
            raise Transient(f"no decode worker can be started: {error}") from error
        self._running.add(process)
        return process

    def _blame(self, error: EndedError) -> Poison:
        if error.status == -signal.SIGXCPU:
            return Poison(
                f"decoding the picture takes more than {self._seconds:g} s of CPU time; save it "
                "in a common format (such as baseline JPEG) and publish it again",
                kind="too-slow",
            )
        if error.hung:
            return Poison(
                f"the decoder hangs on the picture (no response in {self._patience:g} s); save it "
                "in a common format and publish it again",
                kind="too-slow",
            )
        status = error.status
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        return Poison(
            f"the picture crashed the decoder ({how}); it is damaged or malicious. Save it again "
            "with another program and publish that",
            kind="ends-the-decoder",
        )


def _end_all(running: set[DecodeProcess]) -> None:
    for process in running:
        process.end()
