"""One decode worker, seen from the pool: started, used, and ended.

The other side is `services.embedder.decoding.worker`.
"""

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from services.embedder.decoding import frames
from services.embedder.decoding.cutting import Cuts
from shared.errors import Poison
from shared.foreground.view import View
from shared.messages import Box, Place
from shared.process.environment import scrubbed


class EndedError(Exception):
    """The worker ended over a picture, by itself or because it did not respond in time.

    `status` is its exit status, negative for a signal; `hung`: it did not respond.
    """

    def __init__(self, status: int, *, hung: bool) -> None:
        super().__init__(f"the decode worker ended with status {status}")
        self.status = status
        self.hung = hung

    @property
    def from_outside(self) -> bool:
        """Whether it was killed from outside, for example for lack of memory."""
        return self.status == -signal.SIGKILL and not self.hung


class DecodeProcess:
    """A running worker, ready when the constructor returns.

    Args:
        settings: the worker's settings, as JSON.
        patience: seconds to become ready, and to respond.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, settings: str, patience: float) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(patience)
        with theirs:
            command = [sys.executable, "-P", "-m", "services.embedder.decoding.worker"]
            self._process = subprocess.Popen(  # noqa: S603
                [*command, str(theirs.fileno()), settings],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=scrubbed(),
                start_new_session=True,
            )
        try:
            frames.receive(self._socket)  # it reports that it is ready
        except OSError as error:
            raise OSError(f"it ended with status {self.end()}; see its output above") from error

    @property
    def pid(self) -> int:
        """Process ID."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.returncode is not None

    def cut(self, data: bytes, boxes: Sequence[Box]) -> Cuts:
        """Return the cuts of a picture.

        Raises:
            Poison: the picture is at fault.
            EndedError: the worker has ended.
        """
        corners = [(box.x, box.y, box.width, box.height) for box in boxes]
        try:
            frames.send(self._socket, {"boxes": corners}, [data])
            return self._read(len(boxes), *frames.receive(self._socket))
        except OSError as error:
            raise EndedError(self.end(), hung=isinstance(error, TimeoutError)) from error
        except (LookupError, TypeError, ValueError, DecodeError) as error:
            self.end()
            raise Poison(
                f"the decoder returned an invalid response for the picture ({error!r}); the "
                "picture is malicious",
                kind="ends-the-decoder",
            ) from error

    def end(self) -> int:
        """End it if it is running; return its exit status, negative for a signal."""
        self._socket.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(0.5)  # if it is ending by itself, its own status counts
        self._process.kill()
        return self._process.wait()

    def _read(self, count: int, header: dict[str, Any], blobs: list[bytearray]) -> Cuts:
        if "reason" in header:
            if header["ends"]:
                self.end()
            raise Poison(header["reason"], kind=header["kind"])
        captured_at, place, *rest = blobs
        has_time, has_place = header["told"]
        crops, pictures = rest[:count], rest[count:]
        sides = tuple(map(int, header["sides"]))
        if not len(crops) == len(pictures) == len(sides) == count:
            raise ValueError(f"{len(crops)} crops and {len(pictures)} views of {count} boxes")
        return Cuts(
            crops=tuple(bytes(crop) for crop in crops),
            views=tuple(_view(*each) for each in zip(header["views"], pictures, strict=True)),
            sides=sides,
            captured_at=Timestamp.FromString(bytes(captured_at)) if has_time else None,
            place=Place.FromString(bytes(place)) if has_place else None,
            truncated=bool(header["truncated"]),
        )


def _view(told: Sequence[Any], picture: bytearray) -> View:
    (height, width), box, *size = told
    left, top, right, bottom = map(float, box)
    if not (0 <= left <= right <= 1 and 0 <= top <= bottom <= 1):
        raise ValueError(f"a view's box is {box}")
    pixels = np.frombuffer(picture, np.uint8).reshape(height, width, 3)
    return View(pixels, (left, top, right, bottom), *map(int, size))
