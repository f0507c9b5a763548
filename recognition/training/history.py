"""The history of a run, epoch by epoch."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Epoch:
    """One epoch: number, mean loss, seconds, and R-1 of the held-out pictures.

    Number 0 is the untrained model, without loss. `r1` is None in an epoch without validation;
    `viewpoint` is the share of held-out viewpoints that a viewpoint head classifies correctly.
    """

    number: int
    loss: float | None
    seconds: float
    r1: float | None = None
    viewpoint: float | None = None

    def as_dict(self) -> dict[str, float | int | None]:
        """Return it for JSON."""
        return asdict(self)
