"""Decode workers: processes that may be ended by a picture, so that the embedder is not.

Decoders are where hostile pictures do harm: a JPEG of 400 kB that takes minutes, a PNG of
200 kB that takes gigabytes, and whatever makes a native library fault. In a worker each has a
limit of time and memory; beyond it the picture is poison, and the worker is replaced.
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

# Beyond so many times its share of a core, plus this, a worker does not work but hangs.
_PATIENCE_FACTOR = 6
_PATIENCE_SECONDS = 30.0


class DecodeWorkers:
    """A number of workers, each started when it is first needed. Callable from several threads.

    Args:
        count: of workers.
        seconds: of a core that one picture may take.
        megabytes: that a worker may take, itself included (some 150).
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
        """Start all workers that are not there yet, so that the first pictures don't wait.

        Raises:
            Transient: one can't be started.
        """
        idle = [self._idle.get() for _ in range(self._idle.qsize())]
        try:
            for place, process in enumerate(idle):
                idle[place] = process or self._started()
        finally:
            for process in idle:
                self._idle.put(process)

    def cut(self, data: bytes, boxes: Sequence[Box]) -> Cuts:
        """Do what `cutting.cut` does, in a worker; waits for an idle one.

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
        except OSError as error:  # the machine has no room for one, or not its modules
            raise Transient(f"no decode worker can be started: {error}") from error
        self._running.add(process)
        return process

    def _blame(self, error: EndedError) -> Poison:
        if error.status == -signal.SIGXCPU:
            return Poison(
                f"decoding the picture takes more than {self._seconds:g} seconds of a core; save "
                "it in the usual way (a baseline JPEG, say) and publish it again, or raise "
                "RESIGHT_EMBEDDER_DECODE_SECONDS",
                kind="too-slow",
            )
        if error.hung:
            return Poison(
                f"the decoder hangs in the picture: no answer in {self._patience:g} s; save it in "
                "the usual way and publish it again",
                kind="too-slow",
            )
        status = error.status
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        return Poison(
            f"the picture ended the decoder ({how}); it is damaged, or made to do that: save it "
            "again with another program and publish that",
            kind="ends-the-decoder",
        )


def _end_all(running: set[DecodeProcess]) -> None:
    for process in running:
        process.end()
