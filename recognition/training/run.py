"""Runs one training, from photographs to a folder that the embedder can serve."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from catalogue.reading.catalogue import Photograph
from recognition.models import backbones
from recognition.models.export import export_model
from recognition.training import checkpoint
from recognition.training.card import ModelCard, card
from recognition.training.data.training_data import AUTO, prepare
from recognition.training.history import Epoch
from recognition.training.learning_curve import draw
from recognition.training.recipe import Recipe, TrainingError
from recognition.training.trainer import Trainer
from shared.files import replacing, write_atomically

WEIGHTS, MODEL, CARD = "model.safetensors", "model.onnx", "card.md"
CURVE, LOG, CHECKPOINTS = "learning-curve.png", "log.json", "checkpoints"
_BEST = "best.safetensors"

# Progress of a run: stage, number done, and total.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class RunOptions:
    """Options of a run that do not affect the result, except `hold_out` and the device.

    Attributes:
        hold_out: split whose queries are held out, see `training_data.prepare`.
        device: cpu, cuda, or auto: cuda if available.
        workers: processes that augment pictures ahead; 0: none.
        resume: continue from the output folder's checkpoint, if there is one.
        examine_every: epochs between validations.
        accept_restricted: see `backbones.build`.
    """

    hold_out: str = AUTO
    device: str = "auto"
    workers: int = 0
    resume: bool = False
    examine_every: int = 1
    accept_restricted: bool = False


@dataclass(frozen=True)
class Result:
    """Result of a run: the folder, and the epoch whose weights the model has."""

    folder: Path
    kept: Epoch
    history: tuple[Epoch, ...]


def train(
    photographs: Sequence[Photograph],
    recipe: Recipe,
    output: Path,
    options: RunOptions = RunOptions(),
    *,
    progress: Progress = lambda *_: None,
    told: Callable[[Epoch], None] = lambda _: None,
) -> Result:
    """Train on photographs of one animal each and write the model, its card and curve.

        output/model.safetensors   for `resight export` and further training
        output/model.onnx          for the embedder, verified against PyTorch
        output/card.md             the model card
        output/learning-curve.png, output/log.json, output/checkpoints/

    With held-out pictures the best epoch's weights are kept, else the last one's; the best may be
    number 0, the initial model. `told` gets every finished epoch.

    Raises:
        TrainingError,
        WeightsError: it is impossible.
        ParityError: the exported model differs from the trained one.
    """
    checkpoints = output / CHECKPOINTS
    if checkpoints.exists() and not options.resume:
        raise TrainingError(
            f"{checkpoints} holds an earlier run; continue it with --resume, or choose another "
            "--output"
        )
    device = _device(options.device)
    model = backbones.build(
        recipe.backbone,
        recipe.weights,
        input_size=recipe.input_size,
        viewpoint_head=recipe.viewpoint_head,
        accept_restricted=options.accept_restricted,
    )
    training_data = prepare(
        photographs,
        recipe,
        model.input_size,
        options.hold_out,
        progress=lambda done: progress("decoding", done, len(photographs)),
    )
    model.finder = training_data.finder
    trainer = Trainer(model, training_data, recipe, device, options.workers)
    if (found := checkpoint.read(checkpoints, recipe, training_data.digest)) is not None:
        trainer.restore(found)
    for epoch in _epochs(trainer, options.examine_every, progress):
        _keep(trainer, epoch, checkpoints)
        _log(output, recipe, trainer.history)
        told(epoch)
    kept = _best(trainer.history)
    if kept.number != recipe.epochs:
        model = backbones.build(recipe.backbone, checkpoints / _BEST)
    subject = ModelCard(
        model.cpu().eval(), recipe, training_data, photographs, tuple(trainer.history), kept
    )
    return _write(subject, output)


def _epochs(trainer: Trainer, examine_every: int, progress: Progress) -> Iterator[Epoch]:
    """Yield each remaining epoch when it is finished."""
    if not trainer.history:
        yield trainer.examine_untrained()
    last = trainer.recipe.epochs
    while (number := trainer.next_epoch) <= last:
        examined = number % examine_every == 0 or number == last
        yield trainer.epoch(examined, partial(progress, f"epoch {number}"))


def _keep(trainer: Trainer, epoch: Epoch, checkpoints: Path) -> None:
    checkpoints.mkdir(parents=True, exist_ok=True)
    if _best(trainer.history) is epoch:
        with replacing(checkpoints / _BEST) as draft:
            backbones.save(trainer.model, draft)
    checkpoint.write(trainer.checkpoint(), checkpoints)


def _best(history: Sequence[Epoch]) -> Epoch:
    """Return the epoch with the best R-1, the later of equals; the last without validation."""
    examined = [each for each in history if each.r1 is not None]
    return max(examined, key=lambda each: (each.r1, each.number)) if examined else history[-1]


def _write(subject: ModelCard, output: Path) -> Result:
    with replacing(output / WEIGHTS) as draft:
        backbones.save(subject.model, draft)
    export_model(subject.model, output / MODEL)
    draw(subject.history, output / CURVE)
    (output / CARD).write_text(card(subject))
    return Result(output, subject.kept, tuple(subject.history))


def _log(output: Path, recipe: Recipe, history: Sequence[Epoch]) -> None:
    told = {"recipe": recipe.as_dict(), "epochs": [each.as_dict() for each in history]}
    write_atomically(output / LOG, f"{json.dumps(told, indent=2)}\n".encode())


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise TrainingError(
            "PyTorch finds no CUDA device; install its CUDA build and a driver, or use --device cpu"
        )
    return torch.device(name)
