"""The untrained head: a random orthonormal projection, the same on every machine."""

import numpy as np
import torch
from torch import Tensor

# Values are rounded to this grid, so that QR routines that differ in their last bits give equal
# weights, and so an equal model version, on every machine.
GRID = 2.0**20


def orthonormal(outputs: int, inputs: int, seed: int = 0) -> Tensor:
    """Return float32 [outputs, inputs] with orthonormal rows, outputs ≤ inputs.

    Cosines between projected vectors differ from those between the originals by
    the Johnson–Lindenstrauss error, about 1/sqrt(outputs).
    """
    # RandomState's stream is frozen; default_rng's may change.
    gaussian = np.random.RandomState(seed).standard_normal((inputs, outputs))
    basis, triangle = np.linalg.qr(gaussian)
    basis *= np.sign(np.diag(triangle))  # QR is unique with a positive diagonal
    return torch.from_numpy((np.round(basis * GRID) / GRID).T.astype(np.float32))
