"""The ONNX file computes what PyTorch computes, and says which model it is."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recognition import backbones
from recognition.backbones import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Backbone,
    EmbeddingModel,
    WeightsError,
)
from recognition.export import ParityError, export, export_model
from recognition.projection import orthonormal
from recognition.triton import write_repository
from services.embedder.onnx_encoder import OnnxEncoder
from services.embedder.preparation import Preparation
from shared.embeddings import model_name


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
        expected = model(torch.from_numpy(pictures)).numpy()
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


def test_the_version_changes_with_any_weight_and_with_nothing_else() -> None:
    one, same, other = (backbones.build("efficientnet_lite0") for _ in range(3))
    with torch.no_grad():
        other.head.weight[0, 0] += 1e-3
    assert backbones.version(one) == backbones.version(same) != backbones.version(other)


def test_saved_weights_come_back_with_the_same_version(tmp_path: Path) -> None:
    trained = backbones.build("efficientnet_lite0", backbones.RANDOM)
    backbones.save(trained, tmp_path / "trained.safetensors")
    loaded = backbones.build("efficientnet_lite0", tmp_path / "trained.safetensors")
    assert backbones.version(loaded) == backbones.version(trained)


class _Noisy(nn.Module):
    """Draws noise, so that no file can compute the same."""

    def forward(self, image: Tensor) -> Tensor:
        return torch.rand(image.shape[0], 600) + image.mean((1, 2, 3))[:, None]


def test_a_file_that_differs_from_the_model_is_not_kept(tmp_path: Path) -> None:
    backbone = Backbone(600, 32, IMAGENET_MEAN, IMAGENET_STD, lambda _: _Noisy())
    noisy = EmbeddingModel("noisy", backbone, default_weights=False)
    with pytest.raises(ParityError, match="differs from PyTorch"):
        export_model(noisy, tmp_path / "noisy.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["resnet50", "efficientnet_b3"])
def test_networks_of_the_hub_are_built_with_the_shape_they_promise(name: str) -> None:
    network = backbones.build(name, backbones.RANDOM)
    side = network.input_size
    with torch.inference_mode():
        vectors = network(torch.zeros(1, side, side, 3, dtype=torch.uint8))
    assert vectors.shape == (1, 512)
    assert float(vectors.norm()) == pytest.approx(1)


def test_weights_that_can_t_be_had_say_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=r"connect to a network.*efficientnet_lite0"):
        backbones.build("resnet50")
    with pytest.raises(WeightsError, match="there are resnet50"):
        backbones.build("resnet51")
    with pytest.raises(WeightsError, match="no weights file"):
        backbones.build("efficientnet_lite0", tmp_path / "none.safetensors")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    backbones.save(backbones.build("efficientnet_lite0"), tmp_path / "lite0.safetensors")
    with pytest.raises(WeightsError, match="does not hold the weights of resnet50"):
        backbones.build("resnet50", tmp_path / "lite0.safetensors")


def test_the_projection_is_orthonormal_and_known_to_the_bit() -> None:
    head = orthonormal(512, 1280)
    assert float((head @ head.T - torch.eye(512)).abs().max()) < 1e-5
    assert (head * 2**20 == (head * 2**20).round()).all()


def test_cosines_survive_the_projection() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 1280)).astype(np.float32)
    vectors += 2 * rng.normal(size=1280).astype(np.float32)
    projected = vectors @ orthonormal(512, 1280).numpy().T

    def cosines(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit @ unit.T

    assert float(np.abs(cosines(vectors) - cosines(projected)).max()) < 3 / np.sqrt(512)


def test_a_model_repository_for_triton_names_the_model(file: Path, tmp_path: Path) -> None:
    folder = write_repository(file, tmp_path / "models")
    assert (folder / "1" / "model.onnx").read_bytes() == file.read_bytes()
    configuration = (folder / "config.pbtxt").read_text()
    assert folder.name == model_name(OnnxEncoder(file).model)
    assert f'name: "{folder.name}"' in configuration
    assert "dims: [ 224, 224, 3 ]" in configuration
