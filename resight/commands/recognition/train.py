"""`resight train`: train a model on labelled pictures."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from resight.commands.recognition.options import ImageSize, NonCommercial
from resight.console import note, results, stage_bar
from resight.learning.pictures import labelled

if TYPE_CHECKING:
    from recognition.training.history import Epoch

_MOST_WORKERS = 8


def train(
    *,
    data: Annotated[
        list[Path],
        typer.Option(help="Folder of labelled pictures with a metadata.csv; repeatable."),
    ],
    output: Annotated[Path, typer.Option(help="Output folder: model, model card, learning curve.")],
    backbone: Annotated[
        str, typer.Option(help="Backbone; `resight export --list` shows all.")
    ] = "efficientnet_lite0",
    weights: Annotated[
        str | None,
        typer.Option(
            help="Initial weights: a file, or 'random'. Default: the published ones.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Only rows of metadata.csv whose `split` column has this value, such as train.",
            show_default=False,
        ),
    ] = None,
    hold_out: Annotated[
        str,
        typer.Option(
            help="Validation split: encounter, closed, time, none; auto: encounter where pictures "
            "have encounters."
        ),
    ] = "auto",
    loss: Annotated[
        str, typer.Option(help="Loss: softmax, arcface, subcenter or triplet.")
    ] = "subcenter",
    epochs: Annotated[int, typer.Option(min=1, help="Number of epochs.")] = 20,
    batch: Annotated[int, typer.Option(min=2, help="Batch size.")] = 32,
    lr: Annotated[float, typer.Option(min=0, help="Peak learning rate of the heads.")] = 1e-3,
    backbone_lr: Annotated[
        float, typer.Option(min=0, help="Learning rate of the backbone, as a fraction of --lr.")
    ] = 0.1,
    freeze: Annotated[
        int, typer.Option(min=0, help="Initial epochs that train only the heads.")
    ] = 1,
    image_size: ImageSize = None,
    flip: Annotated[
        str,
        typer.Option(help="off, or flank: mirrored pictures count as further individuals."),
    ] = "off",
    merge_flanks: Annotated[
        bool,
        typer.Option("--merge-flanks", help="Left and right sides of an individual look alike."),
    ] = False,
    mask: Annotated[
        bool,
        typer.Option(
            "--mask/--no-mask",
            help="Replace the background of half of the pictures, so that the model cannot learn "
            "locations. Adds 0.2 s per picture.",
        ),
    ] = False,
    alone: Annotated[
        bool,
        typer.Option(
            "--alone",
            help="Show the model only the animal, cut out by U²-Netp; the embedder then does the "
            "same.",
        ),
    ] = False,
    viewpoint_head: Annotated[
        bool, typer.Option("--viewpoint-head", help="Also train a viewpoint classifier.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    mixed_precision: Annotated[
        bool, typer.Option("--mixed-precision", help="Use bfloat16 where it is accurate enough.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Processes for augmentation. Default: none on a CPU; with a GPU, one per core, up "
            "to 8.",
            show_default=False,
        ),
    ] = None,
    examine_every: Annotated[int, typer.Option(min=1, help="Epochs between validations.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the run in --output.")] = False,
    accept_non_commercial: NonCommercial = False,
) -> None:
    """Train a model that tells individuals of one species apart.

    The crops are the embedder's; each picture is augmented with light, blur and occlusion. --output
    gets a model.onnx that the embedder can load. An interrupted run continues with --resume, with
    the same result.
    """
    # PyTorch takes seconds to import, and few commands need it.
    import torch  # noqa: PLC0415

    from recognition.training import run  # noqa: PLC0415
    from recognition.training.recipe import Flip, Loss, Recipe  # noqa: PLC0415

    recipe = Recipe(
        backbone=backbone,
        weights=weights,
        loss=cast(Loss, loss),
        epochs=epochs,
        batch=batch,
        learning_rate=lr,
        backbone_rate=backbone_lr,
        freeze=freeze,
        input_size=image_size,
        flip=cast(Flip, flip),
        merge_flanks=merge_flanks,
        mask=mask,
        alone=alone,
        viewpoint_head=viewpoint_head,
        mixed_precision=mixed_precision,
        seed=seed,
    )
    if workers is None:
        on_gpu = device != "cpu" and torch.cuda.is_available()
        workers = min(_MOST_WORKERS, os.cpu_count() or 1) if on_gpu else 0
    options = run.RunOptions(
        hold_out=hold_out,
        device=device,
        workers=workers,
        resume=resume,
        examine_every=examine_every,
        accept_restricted=accept_non_commercial,
    )
    photographs = labelled(data, split)
    with stage_bar() as progress:
        result = run.train(photographs, recipe, output, options, progress=progress, told=_tell)
    results.print(
        f"wrote {result.folder / run.MODEL}; model card: {result.folder / run.CARD}",
        soft_wrap=True,
    )


def _tell(epoch: "Epoch") -> None:
    parts = []
    if epoch.loss is not None:
        parts.append(f"loss {epoch.loss:.3f}")
    if epoch.r1 is not None:
        parts.append(f"R-1 {epoch.r1:.3f}")
    if epoch.viewpoint is not None:
        parts.append(f"viewpoints {epoch.viewpoint:.3f}")
    name = f"epoch {epoch.number}" if epoch.number else "untrained"
    note(f"{name}: {', '.join(parts) or 'no pictures held out'} ({epoch.seconds:.0f} s)")
