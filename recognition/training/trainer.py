"""Trains the model, with loss and optimiser, epoch by epoch."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from recognition.models.backbones import EmbeddingModel
from recognition.training import losses
from recognition.training.checkpoint import Checkpoint
from recognition.training.data.batches import epoch_batches
from recognition.training.data.loading import variants
from recognition.training.data.samples import NO_VIEWPOINT
from recognition.training.data.training_data import TrainingData
from recognition.training.history import Epoch
from recognition.training.recipe import Recipe, TrainingError
from recognition.training.schedule import rate
from recognition.training.validation import validate

_MODEL, _LOSS = "model.", "loss."
_VIEWPOINT_WEIGHT = 0.2
_SEEDS = 1_000_003  # no two runs share an epoch's seed


class Trainer:
    """Trains a model in place.

    An epoch uses its own seed only, so a resumed run ends like an uninterrupted one.
    """

    def __init__(
        self,
        model: EmbeddingModel,
        training_data: TrainingData,
        recipe: Recipe,
        device: torch.device,
        workers: int = 0,
    ) -> None:
        torch.manual_seed(recipe.seed * _SEEDS)
        self.model = model.to(device)
        self.history: list[Epoch] = []
        self._loss = losses.build(recipe.loss, training_data.classes).to(device)
        self._training_data = training_data
        self.recipe = recipe
        self._device = device
        self._workers = workers
        backbone = list(model.backbone.parameters())
        inside = {id(each) for each in backbone}
        heads = [each for each in model.parameters() if id(each) not in inside]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": backbone, "peak": recipe.learning_rate * recipe.backbone_rate},
                {"params": heads, "peak": recipe.learning_rate},
                # A proxy's length does not affect the loss, so it has no weight decay.
                {
                    "params": list(self._loss.parameters()),
                    "peak": recipe.learning_rate,
                    "weight_decay": 0.0,
                },
            ],
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
        )

    @property
    def next_epoch(self) -> int:
        """Number of the next epoch, from 1."""
        return self.history[-1].number + 1 if self.history else 1

    def examine_untrained(self) -> Epoch:
        """Validate the initial model, and return that as epoch 0."""
        began = time.monotonic()
        self.history.append(self._examined(Epoch(0, None, 0.0), began))
        return self.history[-1]

    def epoch(
        self, examined: bool = True, progress: Callable[[int, int], None] = lambda *_: None
    ) -> Epoch:
        """Train for one epoch, validate if there are queries, and return its history.

        `progress` gets the number of steps done and their total.

        Raises:
            TrainingError: the loss is not finite.
        """
        number = self.next_epoch
        began = time.monotonic()
        torch.manual_seed(self.recipe.seed * _SEEDS + number)
        self._prepare(frozen=number <= self.recipe.freeze)
        batches = epoch_batches(
            self._training_data.labels,
            self.recipe.batch,
            losses.TOGETHER[self.recipe.loss],
            self.recipe.seed,
            number,
        )
        losses_seen = []
        loaded = variants(
            self._training_data.crops,
            self._training_data.samples,
            batches,
            seed=self.recipe.seed,
            epoch=number,
            workers=self._workers,
        )
        for step, (pictures, numbers) in enumerate(loaded):
            self._set_rate((number - 1) * len(batches) + step, len(batches))
            losses_seen.append(self._step(pictures, numbers))
            progress(step + 1, len(batches))
        done = Epoch(number, float(np.mean(losses_seen)), 0.0)
        self.history.append(self._examined(done, began) if examined else _timed(done, began))
        return self.history[-1]

    def checkpoint(self) -> Checkpoint:
        """Return everything that `restore` needs."""
        weights = {f"{_MODEL}{key}": value for key, value in self.model.state_dict().items()}
        weights |= {f"{_LOSS}{key}": value for key, value in self._loss.state_dict().items()}
        return Checkpoint(
            weights,
            self._optimizer.state_dict(),
            tuple(self.history),
            self.recipe,
            self._training_data.digest,
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Continue from a checkpoint of this run."""

        def part(prefix: str) -> dict[str, Tensor]:
            return {
                key.removeprefix(prefix): value
                for key, value in checkpoint.weights.items()
                if key.startswith(prefix)
            }

        self.model.load_state_dict(part(_MODEL), strict=True)
        self._loss.load_state_dict(part(_LOSS), strict=True)
        self._optimizer.load_state_dict(dict(checkpoint.optimizer))
        self.history = list(checkpoint.history)

    def _examined(self, epoch: Epoch, began: float) -> Epoch:
        if self._training_data.validation is None:
            return _timed(epoch, began)
        scores = validate(
            self.model,
            self._training_data.crops.exact,
            self._training_data.validation,
            self._device,
        )
        # An untrained viewpoint head is meaningless.
        viewpoint = scores.viewpoint if epoch.number else None
        return _timed(replace(epoch, r1=scores.r1, viewpoint=viewpoint), began)

    def _prepare(self, frozen: bool) -> None:
        self.model.train()
        self.model.backbone.requires_grad_(not frozen)
        if frozen:
            self.model.backbone.eval()  # its batch statistics stay frozen, too

    def _set_rate(self, step: int, steps_an_epoch: int) -> None:
        factor = rate(step, steps_an_epoch * self.recipe.epochs, self.recipe.warm_up)
        for group in self._optimizer.param_groups:
            group["lr"] = group["peak"] * factor

    def _step(self, pictures: Tensor, numbers: Tensor) -> float:
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self.recipe.mixed_precision):
            embeddings, viewpoints = self.model.scores(pictures.to(self._device))
        labels = torch.from_numpy(self._training_data.labels)[numbers].to(self._device)
        loss = self._loss(embeddings.float(), labels)
        if viewpoints is not None:
            sides = torch.from_numpy(self._training_data.viewpoints)[numbers].to(self._device)
            loss = loss + _VIEWPOINT_WEIGHT * _viewpoint_loss(viewpoints.float(), sides)
        if not torch.isfinite(loss):
            raise TrainingError(f"the loss became {float(loss.detach())}; lower --lr")
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self._optimizer.step()
        return float(loss.detach())


def _timed(epoch: Epoch, began: float) -> Epoch:
    return replace(epoch, seconds=round(time.monotonic() - began, 1))


def _viewpoint_loss(scores: Tensor, sides: Tensor) -> Tensor:
    """Return the mean cross-entropy of scores [B, 6] where the viewpoint is known; 0 otherwise."""
    told = (sides != NO_VIEWPOINT).sum().clamp(min=1)
    total = nn.functional.cross_entropy(scores, sides, ignore_index=NO_VIEWPOINT, reduction="sum")
    return total / told
