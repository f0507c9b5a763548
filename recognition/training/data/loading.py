"""Augmented batches, prepared by worker processes."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from recognition.training.augmentation.augmentation import augment
from recognition.training.augmentation.background_replacement import replace_background
from recognition.training.data.crops import Crops
from recognition.training.data.samples import Sample

# Share of pictures with a mask whose background is replaced.
_ELSEWHERE = 0.5


class _Variants(Dataset[tuple[Tensor, int]]):
    """One random variant per sample, determined by seed, epoch and sample alone."""

    def __init__(self, crops: Crops, samples: Sequence[Sample], seed: int, epoch: int) -> None:
        self._crops = crops
        self._samples = samples
        self._seed = seed
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        sample = self._samples[number]
        rng = np.random.default_rng((self._seed, 2, self._epoch, number))
        pixels = self._crops.roomy[sample.picture]
        if self._crops.animals is not None and rng.random() < _ELSEWHERE:
            pixels = replace_background(pixels, self._crops.animals[sample.picture], rng)
        if sample.mirrored:
            pixels = np.ascontiguousarray(pixels[:, ::-1])
        variant = augment(pixels, self._crops.input_size, rng)
        # Decoded JPEGs are read-only, about which PyTorch warns.
        return torch.from_numpy(np.require(variant, requirements="W")), number


def variants(
    crops: Crops,
    samples: Sequence[Sample],
    batches: Sequence[NDArray[np.int64]],
    *,
    seed: int,
    epoch: int,
    workers: int,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield each batch's pictures, uint8 [B, S, S, 3], and the indices of its samples, int64 [B].

    `workers` are processes that augment ahead; 0: in this one. The pictures do not depend on their
    number.
    """
    yield from DataLoader(
        _Variants(crops, samples, seed, epoch),
        batch_sampler=[batch.tolist() for batch in batches],
        num_workers=workers,
        worker_init_fn=_one_thread,
        pin_memory=torch.cuda.is_available(),
    )


def _one_thread(_worker: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
