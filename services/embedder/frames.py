"""What passes between the embedder and its decode workers: a JSON header and blobs of bytes.

Nothing of a worker's answer is executed or unpickled: it has handled what strangers sent.
"""

import json
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

_SIZE = struct.Struct(">Q")
_HEADER = "blobs"


class ClosedError(ConnectionError):
    """The other side has ended."""


def send(to: socket.socket, header: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> None:
    """Send one frame.

    Raises:
        OSError: the other side has ended, or does not take it in time.
    """
    text = json.dumps({**header, _HEADER: [len(blob) for blob in blobs]}).encode()
    to.sendall(_SIZE.pack(len(text)) + text)
    for blob in blobs:
        to.sendall(blob)


def receive(of: socket.socket) -> tuple[dict[str, Any], list[bytearray]]:
    """Return the next frame.

    Raises:
        ClosedError: the other side has ended.
        TimeoutError: nothing came in time.
    """
    (size,) = _SIZE.unpack(_exactly(of, _SIZE.size))
    header: dict[str, Any] = json.loads(_exactly(of, size))
    return header, [_exactly(of, length) for length in header.pop(_HEADER)]


def _exactly(of: socket.socket, count: int) -> bytearray:
    received = bytearray(count)
    view, at = memoryview(received), 0
    while at < count:
        got = of.recv_into(view[at:])
        if not got:
            raise ClosedError("the other side has ended")
        at += got
    return received
