"""Embedding models: a backbone by name, its weights, and its heads."""

import hashlib
from pathlib import Path
from typing import cast

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from recognition.models.architectures import BACKBONES, Backbone, WeightsError
from recognition.models.projection import orthonormal
from services.embedder.encoders.encoder import VIEWPOINTS
from shared.embeddings import DIMENSION

RANDOM = "random"

# Metadata of a file of weights.
_NAME, _INPUT_SIZE, _LICENCE, _FINDER = "name", "input_size", "licence", "finder"
_VIEWPOINT_HEAD = "viewpoint_head.weight"
_BIAS = "head.bias"


class EmbeddingModel(nn.Module):
    """From pixels to embeddings: normalisation, backbone, linear head, unit length.

    The untrained head is a random orthonormal projection: it keeps the cosines of the features up
    to the Johnson–Lindenstrauss error. On 100 StripeSpotter pictures it costs EfficientNet-Lite0 at
    most .02 R-1 (.67 to .65), within the error of that many pictures.

    Args:
        default_weights: the backbone's published ones; else random.
        input_size: side of the pictures; None: the backbone's own.
        viewpoint_head: whether it also scores `VIEWPOINTS`; meaningless untrained.

    Attributes:
        finder: name of the segmenter if it sees animals alone; empty: it sees whole crops.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        name: str,
        backbone: Backbone,
        default_weights: bool,
        input_size: int | None = None,
        viewpoint_head: bool = False,
    ) -> None:
        super().__init__()
        self.name = name
        self.licence = backbone.licence if default_weights else ""
        self.input_size = input_size or backbone.input_size
        self.finder = ""
        self.backbone = backbone.build(default_weights, self.input_size)
        self.head = nn.Linear(backbone.features, DIMENSION, bias=False)
        # Fewer features than dimensions: orthonormal columns keep every cosine exactly.
        self.head.weight = nn.Parameter(
            orthonormal(DIMENSION, backbone.features)
            if backbone.features >= DIMENSION
            else orthonormal(backbone.features, DIMENSION).T.contiguous()
        )
        self.viewpoint_head: nn.Linear | None = None
        if viewpoint_head:
            self.viewpoint_head = nn.Linear(backbone.features, len(VIEWPOINTS))
        self.register_buffer("mean", torch.tensor(backbone.mean).mul(255))
        self.register_buffer("std", torch.tensor(backbone.std).mul(255))

    def place_head(self, weight: Tensor, bias: Tensor) -> None:
        """Replace the head by an affine one, float32 [512, F] and [512]."""
        head = nn.Linear(self.head.in_features, DIMENSION)
        head.load_state_dict({"weight": weight, "bias": bias})
        self.head = head

    def features(self, image: Tensor) -> Tensor:
        """Return the heads' input, float32 [B, F], for the pictures that `forward` takes."""
        normalised = (image.float() - self.mean) / self.std
        return cast(Tensor, self.backbone(normalised.permute(0, 3, 1, 2)))

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Return float32 [B, 512] of unit length for RGB [B, S, S, 3], uint8 or float 0–255.

        With a viewpoint head: that, and one score for each of `VIEWPOINTS`, float32 [B, 6].
        """
        embedding, viewpoints = self.scores(image)
        return embedding if viewpoints is None else (embedding, viewpoints)

    def embed(self, image: Tensor) -> Tensor:
        """Return only the embeddings, float32 [B, 512]."""
        return self.scores(image)[0]

    def scores(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the embeddings, and the viewpoints' scores if there is a head."""
        features = self.features(image)
        embedding = nn.functional.normalize(self.head(features), dim=1)
        return embedding, self.viewpoint_head(features) if self.viewpoint_head else None


def build(
    name: str,
    weights: str | Path | None = None,
    *,
    input_size: int | None = None,
    viewpoint_head: bool = False,
    accept_restricted: bool = False,
) -> EmbeddingModel:
    """Return a model in evaluation mode.

    Args:
        name: one of `BACKBONES`.
        weights: None for the backbone's published weights under an untrained head, `random` for
            none at all, or a file that `save` wrote, which also gives the input size and the
            viewpoint head.
        accept_restricted: use published weights whose licence forbids or does not clearly allow
            commercial use.

    Raises:
        WeightsError: unknown name, no network, no such file, another network's weights, or their
            licence was not accepted.
    """
    if name not in BACKBONES:
        raise WeightsError(f"there is no backbone {name!r}; choose one of {', '.join(BACKBONES)}")
    backbone = BACKBONES[name]
    published = weights is None
    if published and backbone.restricted and not accept_restricted:
        raise WeightsError(
            f"the licence of {backbone.source}'s weights is {backbone.licence}: not for commercial "
            "use without the authors' consent; pass --accept-non-commercial if yours is not"
        )
    torch.manual_seed(0)
    if weights is not None and str(weights) != RANDOM:
        model = _load(name, Path(weights), input_size)
        if viewpoint_head and model.viewpoint_head is None:
            model.viewpoint_head = nn.Linear(model.head.in_features, len(VIEWPOINTS))
        return model
    return EmbeddingModel(name, backbone, published, input_size, viewpoint_head).eval()


def save(model: EmbeddingModel, path: Path) -> None:
    """Write all of a model's weights, head and normalisation included, as safetensors."""
    metadata = {
        _NAME: model.name,
        _INPUT_SIZE: str(model.input_size),
        _LICENCE: model.licence,
        _FINDER: model.finder,
    }
    tensors = {key: value.cpu().contiguous() for key, value in model.state_dict().items()}
    save_file(tensors, path, metadata)


def version(model: EmbeddingModel) -> str:
    """Return 12 hex digits of the SHA-256 of all weights: equal weights, equal version."""
    digest = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        digest.update(f"{key} {value.dtype} {tuple(value.shape)} ".encode())
        digest.update(value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def _load(name: str, path: Path, input_size: int | None) -> EmbeddingModel:
    try:
        with safe_open(path, framework="pt") as file:
            told = file.metadata() or {}
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        side = input_size or int(told.get(_INPUT_SIZE, BACKBONES[name].input_size))
        model = EmbeddingModel(name, BACKBONES[name], False, side, _VIEWPOINT_HEAD in weights)
        if _BIAS in weights:
            model.place_head(weights["head.weight"], weights[_BIAS])
        model.load_state_dict(weights, strict=True)
    except FileNotFoundError as error:
        raise WeightsError(f"there is no weights file {path}") from error
    except Exception as error:  # safetensors' own error has no other base
        raise WeightsError(
            f"{path} does not hold the weights of {name}: {str(error)[:500]}"
        ) from error
    model.licence, model.finder = told.get(_LICENCE, ""), told.get(_FINDER, "")
    return model.eval()
