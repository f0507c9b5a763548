"""Frames between the embedder and its decode workers: a JSON header and binary blobs.

Workers handle untrusted pictures, so their responses are never executed or unpickled.
"""

import json
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

_SIZE = struct.Struct(">Q")
_HEADER = "blobs"
_MOST_HEADER = 1024 * 1024
_MOST_BLOBS = 1024 * 1024 * 1024


class ClosedError(ConnectionError):
    """The other side has closed the socket."""


def send(to: socket.socket, header: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> None:
    """Send one frame.

    Raises:
        OSError: the other side has closed, or does not accept it in time.
    """
    text = json.dumps({**header, _HEADER: [len(blob) for blob in blobs]}).encode()
    to.sendall(_SIZE.pack(len(text)) + text)
    for blob in blobs:
        to.sendall(blob)


def _bounded(size: int, most: int) -> int:
    if size > most:
        raise ValueError(f"a frame claims {size} bytes; the limit is {most}")
    return size


def receive(of: socket.socket) -> tuple[dict[str, Any], list[bytearray]]:
    """Return the next frame.

    Raises:
        ClosedError: the other side has closed.
        TimeoutError: nothing arrived in time.
        ValueError: it is not a frame.
    """
    (size,) = _SIZE.unpack(_exactly(of, _SIZE.size))
    header = json.loads(_exactly(of, _bounded(size, _MOST_HEADER)))
    if not isinstance(header, dict) or not isinstance(header.get(_HEADER), list):
        raise ValueError("a frame's header does not describe its blobs")
    lengths = [int(length) for length in header.pop(_HEADER)]
    _bounded(sum(lengths), _MOST_BLOBS)
    return header, [_exactly(of, length) for length in lengths]


def _exactly(of: socket.socket, count: int) -> bytearray:
    received = bytearray(count)
    view, at = memoryview(received), 0
    while at < count:
        got = of.recv_into(view[at:])
        if not got:
            raise ClosedError("the other side has closed")
        at += got
    return received
