"""LightGlue as published: in PyTorch, one pair after the other."""

from collections.abc import Sequence

import torch

from services.matcher.pair_matchers.lightglue import Correspondences, Variant, load
from shared.keypoints.keypoints import Keypoints


class PublishedLightGlue:
    """kornia's LightGlue with its trained weights, on a device.

    `adaptive`: all layers, in depth and width as its README recommends; else the first `layers` of
        them, with which the services' engines must agree.
    """

    together = 1

    def __init__(
        self,
        variant: Variant,
        layers: int | None = None,
        threshold: float = 0.1,
        *,
        adaptive: bool = False,
        device: str = "cpu",
    ) -> None:
        trained = load(variant, layers or variant.layers, threshold, adaptive=adaptive)
        self._network = trained.network.to(device)
        self._device = device
        self.model = trained.model

    def match(self, query: Keypoints, candidates: Sequence[Keypoints]) -> list[Correspondences]:
        """Match a query with each candidate."""
        mine = self._image(query)
        return [self._pair(mine, self._image(candidate)) for candidate in candidates]

    def _pair(
        self, query: dict[str, torch.Tensor], candidate: dict[str, torch.Tensor]
    ) -> Correspondences:
        with torch.inference_mode():
            found = self._network({"image0": query, "image1": candidate})
        return Correspondences(
            found["matches"][0].cpu().numpy(), found["scores"][0].float().cpu().numpy()
        )

    def _image(self, keypoints: Keypoints) -> dict[str, torch.Tensor]:
        size = torch.tensor([[keypoints.width, keypoints.height]], device=self._device)
        return {
            "keypoints": torch.from_numpy(keypoints.positions[None].copy()).to(self._device),
            "descriptors": torch.from_numpy(keypoints.unit()[None]).to(self._device),
            "image_size": size,
        }
