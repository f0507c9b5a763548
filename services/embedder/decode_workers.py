"""Decode workers: processes that may be ended by a picture, so that the embedder is not.

Decoders are where hostile pictures do harm: a JPEG of 400 kB that takes minutes, a PNG of
200 kB that takes gigabytes, and whatever makes a native library fault. In a worker each has a
limit of time and memory; beyond it the picture is poison, and the worker is replaced.
"""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import weakref
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from services.embedder import frames
from services.embedder.cutting import Cuts, Limits
from services.embedder.preparation import Preparation
from shared.errors import Poison, Transient
from shared.messages import Box, Place

# Beyond so many times its share of a core, plus this, a worker does not work but hangs.
_PATIENCE_FACTOR = 6
_PATIENCE_SECONDS = 30.0

# Killed from outside, as for want of memory: the first time it may be no fault of the picture.
_OUTSIDE = -signal.SIGKILL


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
        self._side = preparation.input_size
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
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(None)
        self._running: set[_Worker] = set()
        weakref.finalize(self, _end_all, self._running)

    def warm_up(self) -> None:
        """Start all workers that are not there yet, so that the first pictures don't wait.

        Raises:
            Transient: one can't be started.
        """
        idle = [self._idle.get() for _ in range(self._idle.qsize())]
        try:
            idle = [worker or self._started() for worker in idle]
        except OSError as error:
            raise Transient(f"no decode worker can be started: {error}") from error
        finally:
            for worker in idle:
                self._idle.put(worker)

    def cut(self, data: bytes, boxes: Sequence[Box]) -> Cuts:
        """Do what `cutting.cut` does, in a worker; waits for an idle one.

        Raises:
            Poison: as there, or of kind too-slow, too-much-memory or ends-the-decoder.
            Transient: no worker can be started.
        """
        for last in (False, True):
            worker = self._idle.get()
            try:
                worker = worker or self._started()
                answer = worker.ask(data, boxes, self._patience)
                return self._read(*answer)
            except OSError as error:
                if worker is None:  # the machine has no room for one, or not its modules
                    raise Transient(f"no decode worker can be started: {error}") from error
                status = self._ended(worker)
                worker = None
                if status != _OUTSIDE or isinstance(error, TimeoutError) or last:
                    raise self._blame(status, error) from error
            except (LookupError, TypeError, ValueError, DecodeError) as error:
                raise self._nonsense(worker, error) from error
            finally:
                if worker is not None and worker.broken:
                    self._ended(worker)
                    worker = None
                self._idle.put(worker)
        raise AssertionError("unreachable")

    def _started(self) -> "_Worker":
        worker = _Worker(self._settings)
        self._running.add(worker)
        try:
            worker.await_start(self._patience)
        except OSError as error:
            status = self._ended(worker)
            raise OSError(
                f"it ended with status {status}, see its words above ({error})"
            ) from error
        return worker

    def _ended(self, worker: "_Worker") -> int:
        self._running.discard(worker)
        return worker.end()

    def _read(self, header: dict[str, Any], blobs: list[bytearray]) -> Cuts:
        inputs, captured_at, place, *crops = blobs
        side = self._side
        has_time, has_place = header["told"]
        return Cuts(
            crops=tuple(bytes(crop) for crop in crops),
            model_inputs=np.frombuffer(inputs, np.uint8).reshape(len(crops), side, side, 3),
            sides=tuple(header["sides"]),
            captured_at=Timestamp.FromString(bytes(captured_at)) if has_time else None,
            place=Place.FromString(bytes(place)) if has_place else None,
            truncated=bool(header["truncated"]),
        )

    def _nonsense(self, worker: "_Worker | None", error: Exception) -> Poison:
        if worker is not None:
            worker.broken = True
        return Poison(
            f"the decoder answered nonsense about the picture ({error!r}); it is made to do that",
            kind="ends-the-decoder",
        )

    def _blame(self, status: int, error: OSError) -> Poison:
        if status == -signal.SIGXCPU:
            return Poison(
                f"decoding the picture takes more than {self._seconds:g} seconds of a core; save "
                "it in the usual way (a baseline JPEG, say) and publish it again, or raise "
                "RESIGHT_EMBEDDER_DECODE_SECONDS",
                kind="too-slow",
            )
        if isinstance(error, TimeoutError):
            return Poison(
                f"the decoder hangs in the picture: no answer in {self._patience:g} s; save it in "
                "the usual way and publish it again",
                kind="too-slow",
            )
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        return Poison(
            f"the picture ended the decoder ({how}); it is damaged, or made to do that: save it "
            "again with another program and publish that",
            kind="ends-the-decoder",
        )


class _Worker:
    """One worker process and the socket to it."""

    def __init__(self, settings: str) -> None:
        self._socket, theirs = socket.socketpair()
        self.broken = False  # whether it has said that it ends
        with theirs:
            command = [sys.executable, "-P", "-m", "services.embedder.decode_worker"]
            self._process = subprocess.Popen(  # noqa: S603
                [*command, str(theirs.fileno()), settings],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # One thread each: more would only add stacks to its memory.
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,
            )

    def await_start(self, seconds: float) -> None:
        """Return when it is ready for a picture.

        Raises:
            OSError: it has ended, or is not ready in time.
        """
        self._socket.settimeout(seconds)
        frames.receive(self._socket)

    def ask(
        self, data: bytes, boxes: Sequence[Box], seconds: float
    ) -> tuple[dict[str, Any], list[bytearray]]:
        """Return the answer about a picture.

        Raises:
            Poison: the picture's fault.
            OSError: the worker has ended, or does not answer in time.
        """
        self._socket.settimeout(seconds)
        corners = [(box.x, box.y, box.width, box.height) for box in boxes]
        frames.send(self._socket, {"boxes": corners}, [data])
        header, blobs = frames.receive(self._socket)
        if "reason" in header:
            self.broken = header["kind"] == "too-much-memory"
            raise Poison(header["reason"], kind=header["kind"])
        return header, blobs

    def end(self) -> int:
        """End it if it has not ended; return its exit status, the signal negative."""
        self._socket.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(0.5)  # it may be ending, and how is what counts
        self._process.kill()
        return self._process.wait()


def _end_all(workers: set[_Worker]) -> None:
    for worker in workers:
        worker.end()
