import json
import socket
import struct

import pytest

from services.embedder.decoding import frames


def test_a_frame_arrives_as_it_was_sent() -> None:
    one, other = socket.socketpair()
    with one, other:
        frames.send(one, {"boxes": [1.5]}, [b"picture", b""])
        header, blobs = frames.receive(other)
    assert header == {"boxes": [1.5]}
    assert [bytes(blob) for blob in blobs] == [b"picture", b""]


@pytest.mark.parametrize(
    "header", [b"[]", b"{}", b"no json", json.dumps({"blobs": [2**50]}).encode()]
)
def test_what_is_no_frame_is_refused_before_memory_is_spent(header: bytes) -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(struct.pack(">Q", len(header)) + header)
        with pytest.raises(ValueError, match=r"frame|Expecting"):
            frames.receive(other)


def test_neither_is_a_header_of_terabytes() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(struct.pack(">Q", 2**42))
        with pytest.raises(ValueError, match="claims"):
            frames.receive(other)


def test_the_other_s_end_is_told() -> None:
    one, other = socket.socketpair()
    with other:
        one.close()
        with pytest.raises(frames.ClosedError):
            frames.receive(other)
