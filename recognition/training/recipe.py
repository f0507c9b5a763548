"""Everything that determines a training run's result, besides its pictures."""

import dataclasses
from dataclasses import dataclass
from typing import Literal, get_args

from shared.errors import ResightError

Loss = Literal["softmax", "arcface", "subcenter", "triplet"]
Flip = Literal["off", "flank"]
LOSSES: tuple[str, ...] = get_args(Loss)
FLIPS: tuple[str, ...] = get_args(Flip)


class TrainingError(ResightError):
    """A training run is impossible; the text says why and what to do."""


@dataclass(frozen=True)
class Recipe:
    """Parameters of one training run. Equal recipes on equal pictures give equal models on a CPU.

    Attributes:
        backbone: one of `recognition.models.architectures.BACKBONES`.
        loss: see `recognition.training.losses`.
        epochs: passes over all pictures.
        batch: pictures per step.
        learning_rate: peak rate of the heads; the backbone's is `backbone_rate` of it.
        warm_up: share of all steps in which the rate rises; then it falls as a cosine.
        freeze: initial epochs with a frozen backbone.
        weight_decay: AdamW's.
        clip: maximum gradient norm.
        input_size: side of the model's pictures; None: the backbone's own.
        flip: `flank` adds every left or right picture mirrored, as another individual.
        merge_flanks: an individual's two flanks are one label; else each is its own.
        mask: half of the pictures get another background, so that it is not learned.
        alone: the model sees animals without their surroundings, here and in service.
        viewpoint_head: the model also learns viewpoints.
        seed: of all random choices.
    """

    backbone: str = "efficientnet_lite0"
    weights: str | None = None
    loss: Loss = "subcenter"
    epochs: int = 20
    batch: int = 32
    learning_rate: float = 1e-3
    backbone_rate: float = 0.1
    warm_up: float = 0.05
    freeze: int = 1
    weight_decay: float = 1e-4
    clip: float = 1.0
    input_size: int | None = None
    flip: Flip = "off"
    merge_flanks: bool = False
    mask: bool = False
    alone: bool = False
    viewpoint_head: bool = False
    mixed_precision: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, known in (("loss", self.loss, LOSSES), ("flip", self.flip, FLIPS)):
            if value not in known:
                raise TrainingError(f"{name} is {value!r}; choose one of {', '.join(known)}")
        for name, number, least in (
            ("epochs", self.epochs, 1),
            ("batch", self.batch, 2),
            ("freeze", self.freeze, 0),
        ):
            if number < least:
                raise TrainingError(f"{name} is {number}; it must be at least {least}")
        if self.mask and self.alone:
            raise TrainingError(
                "mask replaces the animals' background, alone removes it; choose one of them"
            )
        if not self.learning_rate > 0:
            raise TrainingError(f"the learning rate is {self.learning_rate:g}; try 0.001")

    def as_dict(self) -> dict[str, str | int | float | bool | None]:
        """Return it as JSON takes it."""
        return dataclasses.asdict(self)
