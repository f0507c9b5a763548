"""Verifies that this machine computes the same embeddings as the one that exported the model.

A model file carries the embeddings of three reproducible pictures. An encoder that computes others
must not fill a gallery: 8-bit kernels of some processors saturate where others don't (median cosine
.90 for one file on two machines), and a device may compute in half precision.
"""

import base64
import binascii

import numpy as np
from numpy.typing import NDArray

from services.embedder.encoders.encoder import Encoder
from shared.embeddings import DIMENSION
from shared.errors import SettingsError
from shared.images.rgb import Pixels

# The key in a model file's metadata, and in the parameters of Triton's configuration.
REFERENCE = "resight.reference"
PICTURES = 3

# Kernels round differently: by 1e-6 in float32, 1e-4 in half precision. Saturation costs more than
# 0.02, which exceeds the distance between some pictures of one animal.
LEAST_COSINE = 0.999


def pictures(side: int) -> Pixels:
    """Return the pictures, uint8 [3, side, side, 3]: a gradient, blocks, and a fine texture.

    Integer arithmetic only, so they are the same on every machine.
    """
    row, column, channel = np.meshgrid(
        np.arange(side), np.arange(side), np.arange(3), indexing="ij"
    )
    slope = (row * 160 + column * 80) // side + channel * 7
    blocks = ((row // 16 * 37) ^ (column // 16 * 101)) + channel * 53
    texture = row * row * 7 + column * 13 * (channel + 3) + row * column
    return (np.stack([slope, blocks, texture]) % 256).astype(np.uint8)


def pack(embeddings: NDArray[np.float32]) -> str:
    """Return the embeddings of the pictures, float32 [3, 512], as text for metadata."""
    return base64.b64encode(embeddings.astype("<f4").tobytes()).decode()


def unpack(text: str) -> NDArray[np.float32]:
    """Return what `pack` encoded.

    Raises:
        ValueError: it is damaged.
    """
    try:
        values = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f4")
        return values.reshape(PICTURES, DIMENSION).astype(np.float32)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"the model's {REFERENCE} is damaged: {error}") from error


def check(encoder: Encoder, reference: str, where: str) -> None:
    """Compare an encoder with its model's reference; `where` is named in errors.

    Raises:
        SettingsError: the embeddings differ.
        Transient: the model's server does not respond.
    """
    try:
        expected = unpack(reference)
    except ValueError as error:
        raise SettingsError(f"{where}: {error}; export the model again") from error
    made = [encoder.encode(picture[None]).embeddings[0] for picture in pictures(encoder.input_size)]
    cosine = float((np.stack(made) * expected).sum(axis=1).min())
    if not cosine >= LEAST_COSINE:
        raise SettingsError(
            f"{where}: {encoder.model.name} {encoder.model.version} computes other embeddings on "
            f"this machine than where it was exported (cosine {cosine:.4f}, minimum "
            f"{LEAST_COSINE}), so its vectors would not fit the gallery; serve the float32 model "
            "here, or export this one on this kind of machine and re-index"
        )
