"""LightGlue's layers over a batch of pairs padded to one length: few, large kernels.

The weights are kornia's. Both pictures of a pair go through as one batch of 2 B. Padding is masked
as keys only; its own outputs are ignored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Feed:
    """The feed-forward part of a layer, which mixes a token with its message."""

    first: Any
    norm: Any
    last: Any

    @classmethod
    def of(cls, block: Any) -> Self:
        """Return the one of a kornia block."""
        return cls(block.ffn[0], block.ffn[1], block.ffn[3])

    def __call__(self, tokens: Tensor, message: Tensor) -> Tensor:
        """Return tokens [B, K, D] with their message [B, K, D]."""
        wide = self.norm(self.first(torch.cat([tokens, message], -1)))
        mixed: Tensor = self.last(functional.gelu(wide))
        return tokens + mixed


@dataclass(frozen=True)
class Layer:
    """Self-attention in each picture, then attention across each pair."""

    heads: int
    to_qkv: Tensor
    qkv_bias: Tensor
    own: Any
    own_feed: Feed
    to_qk: Any
    to_v: Any
    across: Any
    across_feed: Feed

    @classmethod
    def of(cls, layer: Any, heads: int) -> Self:
        """Return one of kornia's layers, with query, key and value separated."""
        own, cross = layer.self_attn, layer.cross_attn
        weight, bias = own.Wqkv.weight, own.Wqkv.bias
        return cls(
            heads,
            weight.unflatten(0, (-1, 3)).transpose(0, 1).flatten(0, 1).contiguous(),
            bias.unflatten(0, (-1, 3)).transpose(0, 1).flatten(0, 1).contiguous(),
            own.out_proj,
            Feed.of(own),
            cross.to_qk,
            cross.to_v,
            cross.to_out,
            Feed.of(cross),
        )

    def __call__(self, tokens: Tensor, turn: tuple[Tensor, Tensor], there: Tensor | None) -> Tensor:
        """Return tokens [2 B, K, D] after the layer; the pair of i is i + B.

        turn: cosines and sines of each keypoint's position, [2 B, 1, K, D / heads] each
        there: bool [2 B, 1, 1, K], not padding; None: no padding
        """
        qkv = functional.linear(tokens, self.to_qkv, self.qkv_bias)
        query, key, value = (_apart(each, self.heads) for each in qkv.chunk(3, -1))
        query, key = _turned(query, turn), _turned(key, turn)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=there)
        tokens = self.own_feed(tokens, self.own(_together(seen)))
        asked, told = _apart(self.to_qk(tokens), self.heads), _apart(self.to_v(tokens), self.heads)
        others = None if there is None else _swapped(there)
        seen = functional.scaled_dot_product_attention(
            asked, _swapped(asked), _swapped(told), attn_mask=others
        )
        return self.across_feed(tokens, self.across(_together(seen)))


@dataclass(frozen=True)
class Trunk:
    """All layers before the assignment."""

    project: Any
    frequencies: Any
    layers: Sequence[Layer]

    @classmethod
    def of(cls, network: Any, layers: int, heads: int) -> Self:
        """Return the first layers of kornia's LightGlue."""
        return cls(
            network.input_proj,
            network.posenc.Wr,
            [Layer.of(each, heads) for each in network.transformers[:layers]],
        )

    def __call__(self, places: Tensor, descriptors: Tensor, there: Tensor | None) -> Tensor:
        """Return tokens [2 B, K, D] for positions [2 B, K, 2] and descriptors [2 B, K, d].

        there: bool [2 B, K], not padding; None: no padding
        """
        angles = self.frequencies(places)[:, None].repeat_interleave(2, -1)
        turn = angles.cos(), angles.sin()
        mask = None if there is None else there[:, None, None]
        tokens: Tensor = self.project(descriptors)
        for layer in self.layers:
            tokens = layer(tokens, turn, mask)
        return tokens


def _apart(tokens: Tensor, heads: int) -> Tensor:
    """[B, K, D] -> [B, heads, K, D / heads]."""
    return tokens.reshape(*tokens.shape[:2], heads, -1).transpose(1, 2)


def _together(seen: Tensor) -> Tensor:
    """[B, heads, K, D / heads] -> [B, K, D]."""
    return seen.transpose(1, 2).flatten(-2)


def _turned(tokens: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Return tokens with rotary position encoding (Su et al. 2021)."""
    even, odd = tokens[..., 0::2], tokens[..., 1::2]
    crossed = torch.stack((-odd, even), -1).flatten(-2)
    return tokens * turn[0] + crossed * turn[1]


def _swapped(pairs: Tensor) -> Tensor:
    """Return for each picture its partner's rows."""
    one, other = pairs.chunk(2)
    return torch.cat([other, one])
