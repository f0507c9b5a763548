"""Checkpoints to resume a run exactly.

    <folder>/epoch-0007/weights.safetensors   model and loss
    <folder>/epoch-0007/optimizer.pt          read with weights_only, so it runs no code
    <folder>/epoch-0007/state.json            recipe, pictures, history
    <folder>/best.safetensors                 the best epoch's model, with validation

A checkpoint is written under a temporary name and renamed, so it is complete or absent. No random
state is stored, because every epoch has its own seed.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from recognition.training.history import Epoch
from recognition.training.recipe import Recipe, TrainingError

_WEIGHTS, _OPTIMIZER, _STATE = "weights.safetensors", "optimizer.pt", "state.json"
_PREFIX, _DRAFT = "epoch-", ".draft"


@dataclass(frozen=True)
class Checkpoint:
    """A run after the last epoch of its history."""

    weights: Mapping[str, Tensor]
    optimizer: Mapping[str, Any]
    history: Sequence[Epoch]
    recipe: Recipe
    digest: str  # of the samples; see `recognition.training.data.samples.digest`


def write(checkpoint: Checkpoint, folder: Path) -> None:
    """Write a checkpoint; then remove those of earlier epochs."""
    target = folder / f"{_PREFIX}{checkpoint.history[-1].number:04}"
    draft = target.with_name(target.name + _DRAFT)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    weights = {key: value.cpu().contiguous() for key, value in checkpoint.weights.items()}
    save_file(weights, draft / _WEIGHTS)
    torch.save(dict(checkpoint.optimizer), draft / _OPTIMIZER)
    state = {
        "recipe": asdict(checkpoint.recipe),
        "digest": checkpoint.digest,
        "history": [asdict(each) for each in checkpoint.history],
    }
    (draft / _STATE).write_text(json.dumps(state, indent=2) + "\n")
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    for older in _complete(folder)[:-1]:
        shutil.rmtree(older)


def read(folder: Path, recipe: Recipe, digest: str) -> Checkpoint | None:
    """Return the latest checkpoint of this run; None when there is none.

    Raises:
        TrainingError: it is of another recipe or of other pictures.
    """
    found = _complete(folder)
    if not found:
        return None
    latest = found[-1]
    state = json.loads((latest / _STATE).read_text())
    asked = asdict(recipe)
    differing = [name for name in asked if state["recipe"].get(name) != asked[name]]
    if differing:
        told = ", ".join(
            f"{name} {state['recipe'].get(name)!r}, now {asked[name]!r}" for name in differing
        )
        raise TrainingError(
            f"{latest} is of another run: {told}; resume with the original options, or choose "
            "another --output"
        )
    if state["digest"] != digest:
        raise TrainingError(
            f"{latest} was trained on other pictures or labels; choose another --output"
        )
    return Checkpoint(
        load_file(latest / _WEIGHTS),
        torch.load(latest / _OPTIMIZER, weights_only=True, map_location="cpu"),
        [Epoch(**each) for each in state["history"]],
        recipe,
        digest,
    )


def _complete(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.glob(f"{_PREFIX}*") if path.is_dir() and path.suffix != _DRAFT
    )
