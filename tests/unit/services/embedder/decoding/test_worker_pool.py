"""Pictures that take too much, or end their decoder, cost nothing but themselves."""

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from services.embedder.decoding import frames
from services.embedder.decoding.cutting import Cuts, Limits, cut, too_thin
from services.embedder.decoding.worker_pool import DecodeWorkers
from services.embedder.encoders.preparation import Preparation
from services.embedder.settings import EmbedderSettings
from shared.errors import Poison, Transient
from shared.messages import Box
from tests.support.samples.hostile_pictures import grey16_png, many_scans, rgba_png
from tests.support.samples.pictures import encoded, photograph, scene

PREPARATION = Preparation(32)
WHOLE = [Box(x=0, y=0, width=1, height=1)]


@pytest.fixture
def workers() -> DecodeWorkers:
    return DecodeWorkers(1, PREPARATION, Limits(), seconds=1, megabytes=1024)


def _poison(ask: Callable[[], Cuts]) -> Poison:
    with pytest.raises(Poison) as caught:
        ask()
    return caught.value


def test_a_worker_gives_what_the_function_gives(workers: DecodeWorkers) -> None:
    boxes = [
        *WHOLE,
        Box(x=0.1, y=0.2, width=0.5, height=0.05),
        Box(x=0.3, y=0.9999, width=1e-30, height=1e-4),
    ]
    for image in (photograph(), encoded(scene(), "PNG"), photograph(3000, 2000)):
        told, expected = workers.cut(image, boxes), cut(image, boxes, PREPARATION, Limits())
        assert told.crops == expected.crops
        for view, other in zip(told.views, expected.views, strict=True):
            assert np.array_equal(view.picture, other.picture)
            assert (view.box, view.width, view.height) == (other.box, other.width, other.height)
        assert (told.sides, told.captured_at, told.place, told.truncated) == (
            *(expected.sides, expected.captured_at, expected.place, False),
        )


def test_what_is_wrong_with_a_picture_is_told_as_it_is(workers: DecodeWorkers) -> None:
    poison = _poison(lambda: workers.cut(encoded(scene(), "GIF"), WHOLE))
    assert poison.kind == "unsupported-format"
    assert "GIF" in poison.reason


def test_a_jpeg_of_endless_scans_is_given_up_and_the_next_picture_is_cut(
    workers: DecodeWorkers,
) -> None:
    began = time.monotonic()
    poison = _poison(lambda: workers.cut(many_scans(2000), WHOLE))
    assert poison.kind == "too-slow"
    assert "save it in a common format" in poison.reason
    assert time.monotonic() - began < 20
    assert len(workers.cut(photograph(), WHOLE).crops) == 1


@pytest.mark.parametrize("image", [grey16_png, rgba_png])
def test_the_largest_pictures_that_are_allowed_fit_into_the_default_memory(
    image: Callable[[int], bytes],
) -> None:
    default = EmbedderSettings().worker_megabytes
    workers = DecodeWorkers(1, PREPARATION, Limits(), seconds=60, megabytes=default)
    assert len(workers.cut(image(10_000), WHOLE).crops) == 1


def test_a_picture_that_takes_more_memory_than_there_is_is_given_up() -> None:
    workers = DecodeWorkers(1, PREPARATION, Limits(), seconds=60, megabytes=512)
    poison = _poison(lambda: workers.cut(rgba_png(10_000), WHOLE))
    assert poison.kind == "too-much-memory"
    assert len(workers.cut(photograph(), WHOLE).crops) == 1


def _when_busy(workers: DecodeWorkers, action: Callable[[int], None]) -> threading.Thread:
    """Do something to the worker once it decodes."""

    def act() -> None:
        while not workers._running:
            time.sleep(0.001)
        (worker,) = workers._running
        time.sleep(0.5)  # it is on its way into the picture, whatever the moment
        action(worker.pid)

    thread = threading.Thread(target=act)
    thread.start()
    return thread


@pytest.fixture
def slow() -> DecodeWorkers:
    return DecodeWorkers(1, PREPARATION, Limits(), seconds=60, megabytes=1024)


def test_a_picture_that_ends_its_decoder_is_poison(slow: DecodeWorkers) -> None:
    thread = _when_busy(slow, lambda pid: os.kill(pid, signal.SIGSEGV))
    poison = _poison(lambda: slow.cut(many_scans(600), WHOLE))
    thread.join()
    assert poison.kind == "ends-the-decoder"
    assert "SIGSEGV" in poison.reason
    assert len(slow.cut(photograph(), WHOLE).crops) == 1


def test_a_decoder_that_is_killed_from_outside_is_tried_once_more(slow: DecodeWorkers) -> None:
    thread = _when_busy(slow, lambda pid: os.kill(pid, signal.SIGKILL))
    assert len(slow.cut(many_scans(150), WHOLE).crops) == 1
    thread.join()


def test_workers_that_are_warm_are_those_that_cut() -> None:
    workers = DecodeWorkers(2, PREPARATION, Limits(), seconds=5, megabytes=1024)
    workers.warm_up()
    before = set(workers._running)
    assert len(before) == 2
    workers.cut(photograph(), WHOLE)
    workers.warm_up()
    assert workers._running == before


def test_workers_end_with_their_owner() -> None:
    workers = DecodeWorkers(1, PREPARATION, Limits(), seconds=1, megabytes=1024)
    workers.cut(photograph(), WHOLE)
    (worker,) = workers._running
    del workers
    assert worker.ended


@pytest.mark.parametrize(("missing", "taken"), [(40, True), (0.02, True), (0.5, False)])
def test_a_picture_whose_end_is_missing_is_salvaged_where_that_is_asked_for(
    missing: float, taken: bool
) -> None:
    whole = photograph(800, 600)
    image = whole[: -int(missing if missing >= 1 else missing * len(whole))]
    salvaging = DecodeWorkers(1, PREPARATION, Limits(salvage=True), seconds=5, megabytes=1024)
    if taken:
        assert salvaging.cut(image, WHOLE).truncated
        assert not salvaging.cut(whole, WHOLE).truncated
    else:
        assert _poison(lambda: salvaging.cut(image, WHOLE)).kind == "truncated-image"
    refusing = DecodeWorkers(1, PREPARATION, Limits(), seconds=5, megabytes=1024)
    assert _poison(lambda: refusing.cut(image, WHOLE)).kind == "truncated-image"


def test_thin_crops_cant_be_compared() -> None:
    assert "shorter side has 3 pixels" in too_thin(3)
    assert too_thin(24) == ""


def test_a_worker_that_cant_start_is_no_fault_of_the_picture(
    workers: DecodeWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Transient, match="no decode worker can be started"):
        workers.cut(photograph(), WHOLE)
    monkeypatch.undo()
    assert len(workers.cut(photograph(), WHOLE).crops) == 1


def _answer(*, views: object, sides: Sequence[int] = (9,)) -> tuple[dict[str, object], list[bytes]]:
    header = {"told": [False, False], "truncated": False, "sides": sides, "views": views}
    return header, [b"", b"", b"crop", b"rgb"]


@pytest.mark.parametrize(
    "answer",
    [
        ({}, []),
        ({"told": [True, True]}, [b"\xff", b"\xff"]),
        _answer(views=[((1, 1), (0, 0, 1, 1), 9, 9)], sides=(9, 9)),
        _answer(views=[]),
        _answer(views=[((2, 1), (0, 0, 1, 1), 9, 9)]),
        _answer(views=[((1, 1), (0, 0, math.nan, 1), 9, 9)]),
        _answer(views=[((1, 1), (0.6, 0, 0.5, 1), 9, 9)]),
        _answer(views=[((1, 1), (0, 0, 1, 1), "wide", 9)]),
    ],
)
def test_a_decoder_that_was_taken_over_is_not_believed(
    workers: DecodeWorkers,
    monkeypatch: pytest.MonkeyPatch,
    answer: tuple[dict[str, object], list[bytes]],
) -> None:
    workers.cut(photograph(), WHOLE)
    (before,) = workers._running
    monkeypatch.setattr(frames, "receive", lambda _: answer)
    assert _poison(lambda: workers.cut(photograph(), WHOLE)).kind == "ends-the-decoder"
    monkeypatch.undo()
    assert len(workers.cut(photograph(), WHOLE).crops) == 1
    assert before not in workers._running


def test_a_worker_gets_no_credentials_of_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "RESIGHT_KAFKA_PASSWORD"):
        monkeypatch.setenv(name, "s3cret")
    workers = DecodeWorkers(1, PREPARATION, Limits(), seconds=60, megabytes=1024)
    workers.warm_up()
    [process] = workers._running
    assert b"s3cret" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    assert len(workers.cut(photograph(), WHOLE).crops) == 1
