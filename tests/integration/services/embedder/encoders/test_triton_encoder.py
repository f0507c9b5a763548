"""The encoder against a real Triton server: the same numbers, and every way it can fail."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from embedded.servers import HOST, free_port
from services.embedder.encoders import reference
from services.embedder.encoders.onnx_encoder import OnnxEncoder
from services.embedder.encoders.triton_encoder import TritonEncoder
from shared.errors import SettingsError, Transient
from shared.images.rgb import Pixels
from shared.messages import ModelReference
from tests.support.samples.model_files import SIDE, referring, tiny_model
from tests.support.servers import triton_server

Connect = Callable[..., TritonEncoder]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> OnnxEncoder:
    return OnnxEncoder(tiny_model(tmp_path_factory.mktemp("local") / "tiny.onnx"), threads=1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("triton")
    triton_server.lay_out(folder, tiny_model(folder / "tiny.onnx"), max_batch=16)
    port = free_port()
    with triton_server.running(folder, port):
        yield port


@pytest.fixture
def connect(local: OnnxEncoder) -> Iterator[Connect]:
    opened: list[TritonEncoder] = []

    def to(
        port: int, *, side: int = SIDE, max_batch: int = 16, seconds: float = 10, **model: str
    ) -> TritonEncoder:
        expected = ModelReference()
        expected.CopyFrom(local.model)
        for name, value in model.items():
            setattr(expected, name, value)
        encoder = TritonEncoder(
            f"{HOST}:{port}", expected, side, max_batch, timeout_seconds=seconds
        )
        opened.append(encoder)
        return encoder

    yield to
    for encoder in opened:
        encoder.close()


def _crops(count: int) -> Pixels:
    return np.random.default_rng(count).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)


@pytest.mark.parametrize("count", [1, 7, 16])
def test_triton_gives_the_numbers_of_onnx_runtime(
    server: int, local: OnnxEncoder, connect: Connect, count: int
) -> None:
    served = connect(server).encode(_crops(count))
    expected = local.encode(_crops(count))
    assert np.abs(served.embeddings - expected.embeddings).max() < 1e-6
    assert served.viewpoints is None


def test_a_server_with_the_expected_model_is_ready(server: int, connect: Connect) -> None:
    assert connect(server).ready()


@pytest.mark.parametrize(
    ("difference", "told"),
    [
        ({"version": "v2"}, "tiny-v2-.* is not found"),
        ({"preprocessing": "0123456789ab"}, "tiny-v1-0123456789ab.* is not found"),
        ({"name": "large"}, "large-v1-.* is not found"),
        ({"side": 64}, "it takes"),
    ],
)
def test_another_model_than_expected_is_refused_before_a_picture_is_sent(
    server: int, connect: Connect, difference: dict[str, str | int], told: str
) -> None:
    encoder = connect(server, **difference)
    assert not encoder.ready()
    with pytest.raises(SettingsError, match=told):
        encoder.encode(_crops(1))


def test_a_batch_is_sent_in_parts_that_the_server_takes(
    server: int, local: OnnxEncoder, connect: Connect
) -> None:
    encoder = connect(server, max_batch=32)
    assert encoder.ready()
    served = encoder.encode(_crops(20))
    assert np.abs(served.embeddings - local.encode(_crops(20)).embeddings).max() < 1e-6


def test_no_server_is_transient(connect: Connect) -> None:
    encoder = connect(free_port())
    assert not encoder.ready()
    with pytest.raises(Transient, match="UNAVAILABLE"):
        encoder.encode(_crops(1))


def test_a_server_that_hangs_is_transient_after_the_deadline(
    tmp_path: Path, connect: Connect
) -> None:
    port = free_port()
    triton_server.lay_out(tmp_path, tiny_model(tmp_path / "tiny.onnx"))
    with triton_server.running(tmp_path, port) as process:
        encoder = connect(port, seconds=0.5)
        assert encoder.ready()
        os.killpg(process.pid, signal.SIGSTOP)
        with pytest.raises(Transient, match="DEADLINE_EXCEEDED"):
            encoder.encode(_crops(1))
        assert not encoder.ready()


def test_a_server_that_comes_back_with_other_weights_is_noticed(
    tmp_path: Path, connect: Connect
) -> None:
    port = free_port()
    encoder = connect(port)
    triton_server.lay_out(tmp_path, tiny_model(tmp_path / "tiny.onnx"))
    with triton_server.running(tmp_path, port):
        assert len(encoder.encode(_crops(2)).embeddings) == 2
    with pytest.raises(Transient):
        encoder.encode(_crops(2))
    shutil.rmtree(tmp_path / "models")
    triton_server.lay_out(tmp_path, tiny_model(tmp_path / "tiny.onnx", version="v2"))
    with (
        triton_server.running(tmp_path, port),
        pytest.raises(SettingsError, match=r"tiny-v1-.* is not found"),
    ):
        _until_it_answers(encoder)


def test_a_server_that_computes_something_else_is_refused(tmp_path: Path, connect: Connect) -> None:
    model = tiny_model(tmp_path / "tiny.onnx")
    made = OnnxEncoder(model).encode(reference.pictures(SIDE)).embeddings
    triton_server.lay_out(tmp_path, referring(model, np.roll(made, 1, axis=1)))
    port = free_port()
    with triton_server.running(tmp_path, port):
        encoder = connect(port)
        for _ in range(2):
            with pytest.raises(SettingsError, match="computes other embeddings"):
                encoder.encode(_crops(1))


def _until_it_answers(encoder: TritonEncoder) -> None:
    # gRPC waits a while before it connects again.
    while True:
        try:
            encoder.encode(_crops(2))
        except Transient:
            continue
        return
