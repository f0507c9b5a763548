"""One decode worker: `python -m services.embedder.decoding.worker FD SETTINGS`.

It cuts pictures received through the socket FD until that closes. Resource limits end it when a
picture takes too much, and the embedder starts another.
"""

import contextlib
import json
import math
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

import cv2

from services.embedder.decoding import frames
from services.embedder.decoding.cutting import Cuts, Limits, cut
from services.embedder.encoders.preparation import Preparation
from shared.errors import Poison
from shared.messages import Box

MEBIBYTE = 1024 * 1024


def main(arguments: Sequence[str]) -> None:
    """Respond until the socket closes."""
    settings = json.loads(arguments[1])
    preparation, limits = Preparation(**settings["preparation"]), Limits(**settings["limits"])
    megabytes = settings["megabytes"]
    # Ctrl-C is handled by the embedder, which ends its workers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)  # more threads would only use memory for stacks
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, megabytes * MEBIBYTE)
    with (
        socket.socket(fileno=int(arguments[0])) as parent,
        contextlib.suppress(frames.ClosedError, BrokenPipeError),
    ):
        frames.send(parent, {"ready": True})
        while True:
            header, (data,) = frames.receive(parent)
            boxes = [Box(x=x, y=y, width=w, height=h) for x, y, w, h in header["boxes"]]
            _allow_more(settings["seconds"])
            try:
                frames.send(parent, *_answer(cut(bytes(data), boxes, preparation, limits)))
            except Poison as poison:
                told = {"reason": poison.reason, "kind": poison.kind, "ends": False}
                frames.send(parent, told)
            except MemoryError:
                reason = (
                    f"decoding the picture takes more than {megabytes} MiB of memory; publish a "
                    "smaller picture, or raise RESIGHT_EMBEDDER_MAX_PIXELS"
                )
                # The heap may be fragmented now, so this process ends.
                frames.send(parent, {"reason": reason, "kind": "too-much-memory", "ends": True})
                return


def _answer(cuts: Cuts) -> tuple[dict[str, Any], list[bytes]]:
    messages = [
        b"" if each is None else each.SerializeToString() for each in (cuts.captured_at, cuts.place)
    ]
    views = [(each.picture.shape[:2], each.box, each.width, each.height) for each in cuts.views]
    header = {
        "views": views,
        "sides": cuts.sides,
        "truncated": cuts.truncated,
        "told": [cuts.captured_at is not None, cuts.place is not None],
    }
    pictures = [each.picture.tobytes() for each in cuts.views]
    return header, [*messages, *cuts.crops, *pictures]


def _allow_more(seconds: float) -> None:
    """Let the kernel end this process after this much more CPU time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + seconds))


def _limit(what: int, value: int) -> None:
    _, most = resource.getrlimit(what)
    resource.setrlimit(what, (value if most == resource.RLIM_INFINITY else min(value, most), most))


if __name__ == "__main__":
    main(sys.argv[1:])
