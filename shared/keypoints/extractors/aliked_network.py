"""ALIKED's network without its dense feature map: descriptors only at keypoints.

Weights and layers are kornia's, and so are the results; only the order of arithmetic differs. The
network describes each pixel by four maps of one to a thirty-second of the picture's size, upsampled
and stacked to 128 values; half its time goes into writing and normalising that stack. Upsampling
and 1 x 1 convolutions commute, so scores come from the small maps, and features are interpolated
only at pixels used by descriptors. Batch norms are folded into their convolutions, and deformable
ones sample by `grid_sample`.
"""

import copy
from dataclasses import dataclass
from typing import Any, cast

import torch
from kornia.feature import ALIKED
from kornia.feature.aliked.aliked import DeformableConv2d
from kornia.geometry.subpix import nms2d
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

# The network's pooling divides the picture by these.
STRIDE = 32
RADIUS = 2  # window of a local maximum, in pixels
WINDOW = 2 * RADIUS + 1
TEMPERATURE = 0.1  # temperature of the soft maximum in the window


@dataclass(frozen=True)
class Inset:
    """Position of pictures in their padded frames, all of one size.

    sizes: int64 [B, 2], width and height
    corner: int64 [B, 2], x and y of the first pixel
    """

    sizes: Tensor
    corner: Tensor


@dataclass(frozen=True)
class Found:
    """Keypoints of B pictures, padded to K with scores of -inf, best first.

    positions: float32 [B, K, 2], in pixels of the picture
    scores: float32 [B, K]
    descriptors: float32 [B, K, D], L2-normalised
    """

    positions: Tensor
    scores: Tensor
    descriptors: Tensor


class AlikedNetwork:
    """A kornia ALIKED with its weights, for at most `keypoints` per picture."""

    def __init__(self, network: ALIKED, keypoints: int) -> None:
        # torch's stubs do not know a module's attributes.
        self._network: Any = copy.deepcopy(network)
        for block in ("block1", "block2", "block3", "block4"):
            _fold_norms(getattr(self._network, block))
        self._keypoints = keypoints
        grid = torch.arange(-RADIUS, RADIUS + 1)
        device = next(network.parameters()).device
        rows, columns = torch.meshgrid(grid, grid, indexing="ij")
        self._window = torch.stack([columns, rows], -1).reshape(-1, 2).to(device)  # [25, 2]

    def __call__(self, images: Tensor, inset: Inset, allowed: Tensor) -> Found:
        """Return the keypoints of pictures, float [B, 3, H, W] in 0..1, padded to a stride.

        allowed: bool [B, H, W], where keypoints may be
        """
        levels = self._levels(images)
        scores = self._scores(levels)
        places, strength = self._maxima(scores, inset, allowed)
        exact = self._refined(scores, places)
        confidence = _sampled(scores[:, None], exact)[:, 0]
        descriptors = self._described(levels, exact, inset)
        confidence = confidence.masked_fill(strength == -torch.inf, -torch.inf)
        corner = inset.corner[:, None].to(exact)
        return Found(exact - corner, confidence, descriptors)

    def _levels(self, images: Tensor) -> list[Tensor]:
        """Return the four maps, [B, D / 4, H / s, W / s] for s = 1, 2, 8, 32."""
        network = self._network
        first = network.gate(network.block1.conv1(images))
        first = network.gate(network.block1.conv2(first))
        second = self._residual(network.block2, network.pool2(first))
        third = self._residual(network.block3, network.pool4(second))
        fourth = self._residual(network.block4, network.pool4(third))
        heads = (network.conv1, network.conv2, network.conv3, network.conv4)
        return [
            network.gate(_pointwise(each, head.weight))
            for each, head in zip((first, second, third, fourth), heads, strict=True)
        ]

    def _residual(self, block: Any, images: Tensor) -> Tensor:
        gate: Any = self._network.gate
        found = _convolved(block.conv2, gate(_convolved(block.conv1, images)))
        shortcut = _pointwise(images, block.downsample.weight, block.downsample.bias)
        return cast("Tensor", gate(found + shortcut))

    def _scores(self, levels: list[Tensor]) -> Tensor:
        """Return each pixel's keypoint score, [B, H, W] in 0..1."""
        head = self._network.score_head
        size = levels[0].shape[2:]
        parts = head[0].weight.chunk(len(levels), dim=1)
        total = _pointwise(levels[0], parts[0])
        for level, weight in zip(levels[1:], parts[1:], strict=True):
            small = _pointwise(level, weight)
            total = total + functional.interpolate(small, size, mode="bilinear", align_corners=True)
        return torch.sigmoid(head[1:](total))[:, 0]

    def _maxima(self, scores: Tensor, inset: Inset, allowed: Tensor) -> tuple[Tensor, Tensor]:
        """Return the best local maxima, x and y [B, K, 2], and their scores, -inf for padding."""
        peaks = nms2d(scores[:, None], (WINDOW, WINDOW), mask_only=True)[:, 0]
        peaks = peaks & allowed & _inside(scores, inset, RADIUS)
        height, width = scores.shape[1:]
        ranked = scores.masked_fill(~peaks, -torch.inf).flatten(1)
        best = ranked.topk(min(self._keypoints, height * width), dim=1)
        return torch.stack([best.indices % width, best.indices // width], -1), best.values

    def _refined(self, scores: Tensor, places: Tensor) -> Tensor:
        """Return subpixel maxima: the soft maximum of their windows, float32 [B, K, 2]."""
        window = self._window
        around = places[:, :, None] + window  # [B, K, 25, 2]
        last = torch.tensor([scores.shape[2] - 1, scores.shape[1] - 1], device=scores.device)
        around = around.clamp(min=torch.zeros_like(last), max=last)
        batch = torch.arange(len(scores), device=scores.device)[:, None, None]
        values = scores[batch, around[..., 1], around[..., 0]]
        weights = torch.softmax(values / TEMPERATURE, dim=-1)
        return places.float() + weights @ window.float()

    def _described(self, levels: list[Tensor], positions: Tensor, inset: Inset) -> Tensor:
        """Return a descriptor for each position of the padded pictures, [B, K, D]."""
        head = self._network.desc_head
        count, each = positions.shape[:2]
        corner, sizes = inset.corner[:, None], inset.sizes[:, None]
        shift = head.offset_conv[0].kernel_size[0]
        # As kornia's `get_patches`: where a patch begins, and its distance from the edge.
        first = ((positions.long() - corner) - shift / 2 + 1).long()
        first = first.clamp(min=torch.zeros_like(sizes), max=sizes - 1 - shift) + corner
        steps = torch.arange(shift, device=positions.device)
        rows, columns = torch.meshgrid(steps, steps, indexing="ij")
        cells = torch.stack([columns, rows], -1).reshape(-1, 2)
        patches = self._features(levels, first[:, :, None] + cells)  # [B, K, 9, D]
        depth = patches.shape[-1]
        patches = patches.reshape(count * each, shift, shift, depth).permute(0, 3, 1, 2)
        reach = sizes.amax(-1).repeat_interleave(each, 0).reshape(-1, 1, 1, 1) / 4.0
        offset = head.offset_conv(patches).clamp(-reach, reach)
        offset = offset[:, :, 0, 0].reshape(count, each, 2, -1).transpose(2, 3)
        sampled = self._interpolated(levels, positions[:, :, None] + offset, inset)
        mixed = functional.selu(
            functional.linear(sampled, head.sf_conv.weight[:, :, 0, 0])
        )  # [B, K, 16, D]
        weights = head.agg_weights.flatten(0, 1)  # [16 D, D]
        return functional.normalize(mixed.flatten(2) @ weights, dim=-1)

    def _interpolated(self, levels: list[Tensor], at: Tensor, inset: Inset) -> Tensor:
        """Return features between pixels, fading to zero outside the picture. [B, K, N, D]"""
        corner = inset.corner[:, None, None].to(at)
        last = inset.sizes[:, None, None].to(at) - 1
        low = at.floor()
        total = torch.zeros((), device=at.device)
        for step in ((0, 0), (0, 1), (1, 0), (1, 1)):
            pixel = low + torch.tensor(step, device=at.device)
            weight = (1 - (at - pixel).abs()).prod(-1, keepdim=True)
            own = pixel - corner
            there = ((own >= 0) & (own <= last)).all(-1, keepdim=True)
            total = total + self._features(levels, pixel) * (weight * there)
        return total

    def _features(self, levels: list[Tensor], pixels: Tensor) -> Tensor:
        """Return the normalised features of whole pixels [B, K, N, 2]: [B, K, N, D]."""
        count, each, several = pixels.shape[:3]
        size = levels[0].shape[2:]
        flat = pixels.reshape(count, each * several, 2).float()
        parts = [_sampled(level, flat, size) for level in levels]
        stacked = torch.cat(parts, 1).transpose(1, 2).contiguous()
        return functional.normalize(stacked, dim=-1).reshape(count, each, several, -1)


def _fold_norms(block: Any) -> None:
    """Fold a block's two batch norms, in evaluation mode, into the preceding convolutions."""
    for conv, norm in (("conv1", "bn1"), ("conv2", "bn2")):
        layer = getattr(block, conv)
        if isinstance(layer, DeformableConv2d):
            layer.regular_conv = fuse_conv_bn_eval(layer.regular_conv, getattr(block, norm))
        else:
            setattr(block, conv, fuse_conv_bn_eval(layer, getattr(block, norm)))


def _convolved(layer: Any, images: Tensor) -> Tensor:
    """Apply a convolution, plain or deformable (Dai et al. 2017)."""
    if not isinstance(layer, DeformableConv2d):
        return cast("Tensor", layer(images))
    weight: Tensor = layer.regular_conv.weight
    bias = cast("Tensor", layer.regular_conv.bias)
    count, _, height, width = images.shape
    reach = max(height, width) / 4.0
    offset = layer.offset_conv(images).clamp(-reach, reach)
    rows, columns = (torch.arange(side, device=images.device) for side in (height, width))
    side, padding = weight.shape[2], layer.padding
    taps = torch.arange(side, device=images.device) - padding
    offset = offset.reshape(count, side * side, 2, height, width)
    y = offset[:, :, 0] + rows[:, None] + taps.repeat_interleave(side)[:, None, None]
    x = offset[:, :, 1] + columns + taps.repeat(side)[:, None, None]
    grid = torch.stack([x / (width - 1), y / (height - 1)], -1) * 2 - 1  # [B, 9, H, W, 2]
    sampled = functional.grid_sample(
        images, grid.reshape(count, -1, width, 2), mode="bilinear", align_corners=True
    )
    columns_of = sampled.reshape(count, -1, height * width)  # [B, C 9, H W], taps innermost
    return (weight.flatten(1) @ columns_of + bias[:, None]).reshape(count, -1, height, width)


def _pointwise(images: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Apply a 1 x 1 convolution as a matrix product, which is faster on a CPU."""
    found = functional.linear(images.permute(0, 2, 3, 1), weight[:, :, 0, 0], bias)
    return found.permute(0, 3, 1, 2)


def _inside(scores: Tensor, inset: Inset, margin: int) -> Tensor:
    """Return which pixels [B, H, W] are in their picture and not at its edge."""
    height, width = scores.shape[1:]
    first, end = inset.corner + margin, inset.corner + inset.sizes - margin
    columns = torch.arange(width, device=scores.device)
    rows = torch.arange(height, device=scores.device)
    across = (columns >= first[:, :1]) & (columns < end[:, :1])
    down = (rows >= first[:, 1:]) & (rows < end[:, 1:])
    return down[:, :, None] & across[:, None, :]


def _sampled(maps: Tensor, at: Tensor, size: torch.Size | None = None) -> Tensor:
    """Return maps [B, C, h, w] at pixels [B, N, 2] of their upsampling to `size`: [B, C, N]."""
    height, width = size or maps.shape[2:]
    last = torch.tensor([width - 1, height - 1], device=at.device)
    grid = (at / last * 2 - 1)[:, :, None]
    found = functional.grid_sample(
        maps, grid, mode="bilinear", padding_mode="border", align_corners=True
    )
    return found[..., 0]
