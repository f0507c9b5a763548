"""Models by name: their shapes, weights, versions and licences."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from recognition.models import backbones
from recognition.models.architectures import BACKBONES, WeightsError
from recognition.models.projection import orthonormal


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


@pytest.mark.parametrize("name", ["resnet50", "efficientnet_b3", "vit_small", "swin_tiny"])
def test_networks_of_the_hub_are_built_with_the_shape_they_promise(name: str) -> None:
    network = backbones.build(name, backbones.RANDOM)
    side = network.input_size
    with torch.inference_mode():
        vectors = network.embed(torch.zeros(1, side, side, 3, dtype=torch.uint8))
    assert vectors.shape == (1, 512)
    assert float(vectors.norm()) == pytest.approx(1)


@pytest.fixture
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The hub's client has read its environment long before.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))


@pytest.mark.usefixtures("_offline")
def test_weights_that_can_t_be_had_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"connect to a network.*efficientnet_lite0"):
        backbones.build("resnet50")
    with pytest.raises(WeightsError, match="choose one of resnet50"):
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


@pytest.mark.parametrize("name", ["vit_small", "swin_tiny"])
def test_transformers_take_another_size_when_built_for_it(name: str) -> None:
    network = backbones.build(name, backbones.RANDOM, input_size=256)
    with torch.inference_mode():
        assert network.embed(torch.zeros(1, 256, 256, 3, dtype=torch.uint8)).shape == (1, 512)


def test_fewer_features_than_dimensions_keep_their_cosines() -> None:
    head = backbones.build("vit_small", backbones.RANDOM).head.weight.detach()
    assert head.shape == (512, 384)
    assert float((head.T @ head - torch.eye(384)).abs().max()) < 1e-5


@pytest.mark.usefixtures("_offline")
def test_restricted_weights_must_be_accepted_before_anything_is_fetched() -> None:
    restricted = [name for name, network in BACKBONES.items() if network.restricted]
    assert len(restricted) == 3
    for name in restricted:
        with pytest.raises(WeightsError, match="--accept-non-commercial"):
            backbones.build(name)
        with pytest.raises(WeightsError, match="connect to a network"):
            backbones.build(name, accept_restricted=True)


def test_a_file_of_weights_tells_size_head_and_licence(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    own = backbones.build("efficientnet_lite0", input_size=160, viewpoint_head=True)
    backbones.save(own, path)
    loaded = backbones.build("efficientnet_lite0", path)
    assert loaded.input_size == 160
    assert loaded.viewpoint_head is not None
    assert loaded.licence == own.licence == "Apache-2.0"
    assert backbones.version(loaded) == backbones.version(own)


def test_every_published_network_says_where_its_weights_come_from() -> None:
    assert all(network.source and network.licence for network in BACKBONES.values())
