"""Validation of a model in training on held-out pictures."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from recognition.models.backbones import EmbeddingModel
from recognition.training.data.samples import NO_VIEWPOINT
from recognition.training.data.validation_queries import ValidationQueries

_BATCH = 32


@dataclass(frozen=True)
class ValidationScores:
    """R-1 of the answerable queries, and share of right viewpoints, if any."""

    r1: float
    viewpoint: float | None


def validate(
    model: EmbeddingModel,
    pictures: NDArray[np.uint8],
    validation: ValidationQueries,
    device: torch.device,
) -> ValidationScores:
    """Return a model's scores on pictures uint8 [N, S, S, 3], as the embedder would see them."""
    embeddings, viewpoints = _read(model, pictures, device)
    told = validation.viewpoints != NO_VIEWPOINT
    if viewpoints is None or not told.any():
        return ValidationScores(validation.r1(embeddings), None)
    answers = viewpoints[validation.queries].argmax(axis=1)
    return ValidationScores(
        validation.r1(embeddings), float((answers == validation.viewpoints)[told].mean())
    )


def _read(
    model: EmbeddingModel, pictures: NDArray[np.uint8], device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    was_training = model.training
    model.eval()
    embeddings, viewpoints = [], []
    with torch.inference_mode():
        for start in range(0, len(pictures), _BATCH):
            batch = torch.from_numpy(pictures[start : start + _BATCH]).to(device)
            vectors, scores = model.scores(batch)
            embeddings.append(vectors.cpu().numpy())
            if scores is not None:
                viewpoints.append(scores.cpu().numpy())
    model.train(was_training)
    return np.concatenate(embeddings), np.concatenate(viewpoints) if viewpoints else None
