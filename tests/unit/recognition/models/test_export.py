"""The ONNX file computes what PyTorch computes, and says which model it is."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from google.protobuf import text_format
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn
from tritonclient.grpc.model_config_pb2 import (
    ModelConfig,
    ModelInstanceGroup,
    ModelQueuePolicy,
)

from catalogue.reading.photographs import read, single
from recognition.models import backbones
from recognition.models.architectures import IMAGENET_MEAN, IMAGENET_STD, Backbone
from recognition.models.backbones import EmbeddingModel
from recognition.models.export import ParityError, export, export_model
from recognition.models.quantisation import QuantisationError, cost, quantise
from recognition.models.triton import Device, write_repository
from recognition.synthetic.dataset import draw
from recognition.training.data.crops import decode
from services.embedder.encoders import reference
from services.embedder.encoders.encoder import VIEWPOINTS
from services.embedder.encoders.onnx_encoder import OnnxEncoder
from services.embedder.encoders.preparation import Preparation
from shared.embeddings import model_name
from shared.errors import SettingsError
from tests.support.samples.model_files import tiny_model


def configuration(folder: Path) -> Any:
    """Return a model's configuration as Triton parses it."""
    return text_format.Parse((folder / "config.pbtxt").read_text(), ModelConfig())


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    return backbones.build("efficientnet_lite0")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    return export("efficientnet_lite0", folder / "models" / "lite0.onnx")


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (5, 224, 224, 3), np.uint8)


def test_the_file_gives_pytorch_s_embeddings(
    model: EmbeddingModel, file: Path, pictures: NDArray[np.uint8]
) -> None:
    with torch.inference_mode():
        expected = model.embed(torch.from_numpy(pictures)).numpy()
    encoding = OnnxEncoder(file, threads=1).encode(pictures)
    assert encoding.viewpoints is None
    assert np.abs(encoding.embeddings - expected).max() < 1e-4
    assert encoding.embeddings.dtype == np.float32


def test_the_batch_does_not_change_an_embedding(file: Path, pictures: NDArray[np.uint8]) -> None:
    encoder = OnnxEncoder(file, threads=1)
    together = encoder.encode(pictures).embeddings
    alone = np.concatenate([encoder.encode(picture[None]).embeddings for picture in pictures])
    assert np.abs(together - alone).max() < 1e-5


def test_the_file_names_its_model(model: EmbeddingModel, file: Path) -> None:
    encoder = OnnxEncoder(file)
    assert encoder.model.name == "efficientnet_lite0"
    assert encoder.model.version == backbones.version(model)
    assert encoder.model.preprocessing == Preparation(224).fingerprint
    assert encoder.input_size == 224


def test_the_file_takes_bytes_and_needs_nothing_beside_it(file: Path) -> None:
    graph = onnx.load(file).graph
    assert graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [path.name for path in file.parent.iterdir()] == [file.name]


class _Noisy(nn.Module):
    """Draws noise, so that no file can compute the same."""

    def forward(self, image: Tensor) -> Tensor:
        return torch.rand(image.shape[0], 600) + image.mean((1, 2, 3))[:, None]


class _Mean(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return image.mean((2, 3))


def test_a_file_that_differs_from_the_model_is_not_kept(tmp_path: Path) -> None:
    backbone = Backbone(600, 32, IMAGENET_MEAN, IMAGENET_STD, lambda *_: _Noisy())
    noisy = EmbeddingModel("noisy", backbone, default_weights=False)
    with pytest.raises(ParityError, match="differs from PyTorch"):
        export_model(noisy, tmp_path / "noisy.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.uint8]:
    folder = tmp_path_factory.mktemp("drawn")
    draw(folder, individuals=3, sightings=3.0, seed=4)
    return decode(single(read([folder]).photographs), 224).exact


def test_on_drawn_animals_the_file_gives_pytorch_s_embeddings(
    model: EmbeddingModel, file: Path, crops: NDArray[np.uint8]
) -> None:
    with torch.inference_mode():
        expected = model.embed(torch.from_numpy(crops)).numpy()
    answers = OnnxEncoder(file).encode(crops).embeddings
    assert np.abs(answers - expected).max() < 1e-4
    assert (answers * expected).sum(axis=1).min() >= 0.999


def test_a_viewpoint_head_is_a_second_output(tmp_path: Path, pictures: NDArray[np.uint8]) -> None:
    backbone = Backbone(3, 32, IMAGENET_MEAN, IMAGENET_STD, lambda *_: _Mean())
    seeing = EmbeddingModel("seeing", backbone, default_weights=False, viewpoint_head=True)
    encoder = OnnxEncoder(export_model(seeing, tmp_path / "seeing.onnx"))
    small = pictures[:, :32, :32]
    _, scores = seeing.scores(torch.from_numpy(small))
    assert scores is not None
    expected = tuple(VIEWPOINTS[best] for best in scores.argmax(dim=1))
    assert encoder.encode(small).viewpoints == expected


def test_int8_is_another_model_near_the_first(
    file: Path, crops: NDArray[np.uint8], tmp_path: Path
) -> None:
    target = quantise(file, tmp_path / "small.onnx", crops)
    original, small = OnnxEncoder(file).model, OnnxEncoder(target).model
    assert small.name == f"{original.name}-int8"
    assert small.version != original.version
    assert small.preprocessing == original.preprocessing
    told = cost(file, target, crops)
    assert told.bytes < 0.4 * told.original_bytes
    # Ranges from nine crops cost up to a tenth; were float32 taken for int8, it would cost nothing.
    assert 0.85 < told.worst_cosine <= told.median_cosine < 0.9999
    with pytest.raises(QuantisationError, match="in int8 already"):
        quantise(target, tmp_path / "smaller.onnx")


@pytest.mark.parametrize("static", [True, False])
def test_int8_weights_leave_room_for_sums_of_16_bits(
    file: Path, crops: NDArray[np.uint8], tmp_path: Path, static: bool
) -> None:
    """Two products of 255 and 64 fit into 16 bits: no processor saturates, all compute the same."""
    target = quantise(file, tmp_path / "small.onnx", crops if static else None)
    weights = [
        numpy_helper.to_array(each)
        for each in onnx.load(target).graph.initializer
        if each.data_type == onnx.TensorProto.INT8 and len(each.dims) > 1
    ]
    assert weights
    assert max(np.abs(each.astype(int)).max() for each in weights) <= 64


def test_both_files_carry_what_they_must_compute(
    file: Path, crops: NDArray[np.uint8], tmp_path: Path
) -> None:
    for path in (file, quantise(file, tmp_path / "small.onnx", crops)):
        encoder = OnnxEncoder(path)
        reference.check(encoder, encoder.reference, str(path))
    with pytest.raises(SettingsError, match="computes other embeddings on this machine"):
        reference.check(encoder, OnnxEncoder(file).reference, "the int8 file")


def test_int8_without_pictures_leaves_convolutions_alone(
    file: Path, crops: NDArray[np.uint8], tmp_path: Path
) -> None:
    target = quantise(file, tmp_path / "dynamic.onnx")
    assert OnnxEncoder(target).model.name.endswith("-int8")
    assert cost(file, target, crops).median_cosine > 0.99


def test_a_model_repository_for_triton_names_the_model(file: Path, tmp_path: Path) -> None:
    folder = write_repository(file, tmp_path / "models")
    assert (folder / "1" / "model.onnx").read_bytes() == file.read_bytes()
    told = configuration(folder)
    assert told.name == folder.name == model_name(OnnxEncoder(file).model)
    assert (told.backend, told.max_batch_size) == ("onnxruntime", 64)
    assert list(told.input[0].dims) == [224, 224, 3]
    assert list(told.version_policy.specific.versions) == [1]
    assert [warm.batch_size for warm in told.model_warmup] == [1, 64]
    queue = told.dynamic_batching.default_queue_policy
    assert queue.timeout_action == ModelQueuePolicy.REJECT
    assert queue.max_queue_size == 4 * 64


def test_each_device_has_a_configuration_of_its_own(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "model.onnx")

    def made(device: Device) -> Any:
        return configuration(write_repository(model, tmp_path / device, 32, device, instances=2))

    cpu, cuda, tensorrt = made("cpu"), made("cuda"), made("tensorrt")
    assert [each.instance_group[0].kind for each in (cpu, cuda, tensorrt)] == [
        ModelInstanceGroup.KIND_CPU,
        ModelInstanceGroup.KIND_GPU,
        ModelInstanceGroup.KIND_GPU,
    ]
    assert {each.instance_group[0].count for each in (cpu, cuda, tensorrt)} == {2}
    assert not cpu.optimization.execution_accelerators.gpu_execution_accelerator
    [accelerator] = tensorrt.optimization.execution_accelerators.gpu_execution_accelerator
    assert accelerator.name == "tensorrt"
    told = dict(accelerator.parameters)
    assert (told["precision_mode"], told["trt_engine_cache_path"]) == ("FP16", "/engines")
    assert [told[f"trt_profile_{name}_shapes"] for name in ("min", "opt", "max")] == [
        "image:1x32x32x3",
        "image:16x32x32x3",
        "image:32x32x32x3",
    ]


@pytest.mark.parametrize("side", [None, 1])
def test_a_model_repository_declares_the_viewpoint_of_a_model_that_tells_it(
    tmp_path: Path, side: int | None
) -> None:
    model = tiny_model(tmp_path / "model.onnx", viewpoint=side)
    outputs = configuration(write_repository(model, tmp_path / "models")).output
    names = ["embedding"] if side is None else ["embedding", "viewpoint"]
    assert [each.name for each in outputs] == names
    assert list(outputs[0].dims) == [512]


def test_another_head_on_the_same_backbone_is_not_traced_again(
    file: Path,
    tmp_path: Path,
    pictures: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    adapted = backbones.build("efficientnet_lite0")
    features = adapted.head.in_features
    chance = torch.Generator().manual_seed(3)
    adapted.place_head(torch.randn(512, features, generator=chance), torch.ones(512))
    first = export_model(adapted, tmp_path / "first.onnx")  # a head with a bias is another graph
    with monkeypatch.context() as without:
        without.setattr(torch.onnx, "export", None)
        adapted.place_head(torch.randn(512, features, generator=chance), torch.zeros(512))
        second = export_model(adapted, tmp_path / "second.onnx")
    versions = {OnnxEncoder(each).model.version for each in (file, first, second)}
    assert len(versions) == 3
    with torch.inference_mode():
        expected = adapted.embed(torch.from_numpy(pictures)).numpy()
    assert np.abs(OnnxEncoder(second).encode(pictures).embeddings - expected).max() < 1e-4


def test_another_backbone_is_traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = backbones.build("efficientnet_lite0")
    export_model(model, tmp_path / "first.onnx")
    with torch.no_grad():
        next(model.backbone.parameters()).mul_(1.01)
    monkeypatch.setattr(torch.onnx, "export", lambda *_, **__: None)
    with pytest.raises(ParityError, match="returned nothing"):
        export_model(model, tmp_path / "second.onnx")
