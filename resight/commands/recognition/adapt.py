"""`resight adapt`: adapt the default model to labelled animals in minutes."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from recognition.defaults import ADAPTED_BACKBONE
from resight.commands.recognition.options import ImageSize, NonCommercial, SplitColumn
from resight.console import DataDir, FromLedger, Individuals, LedgerUrl
from resight.learning import adaptation as learning
from resight.learning.pictures import LedgerPictures
from resight.stack_state import DEFAULT_FOLDER


def adapt(
    *,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of labelled pictures with a metadata.csv; repeatable."),
    ] = None,
    from_ledger: FromLedger = False,
    individuals: Individuals = "all",
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    output: Annotated[Path, typer.Option(help="Output folder: model and model card.")],
    backbone: Annotated[
        str, typer.Option(help="Backbone whose features are used; see `resight export --list`.")
    ] = ADAPTED_BACKBONE,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Weights: a file, or 'random'. Default: the published ones.", show_default=False
        ),
    ] = None,
    split: SplitColumn = None,
    hold_out: Annotated[
        str,
        typer.Option(
            help="Validation split, used before training on everything: encounter, closed, time, "
            "none; auto: encounter where there are encounters."
        ),
    ] = "auto",
    input_view: Annotated[
        Literal["auto", "crop", "animal"],
        typer.Option(
            help="Model input, here and in the embedder. crop: the whole crop; animal: the animal "
            "cut out by U²-Netp; auto: whichever recognises held-out pictures better."
        ),
    ] = "auto",
    image_size: ImageSize = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the validation split.")] = 0,
    accept_non_commercial: NonCommercial = False,
) -> None:
    """Adapt the default model to your labelled animals, in minutes and without a GPU.

    The network is frozen; a linear head that separates your individuals is solved in closed form.
    --output gets a model.onnx for `resight up --model`. Calibrate afterwards, on pictures that it
    was not trained on.

    With --from-ledger it is trained on confident individuals: those reviewed by people, and those
    of two sightings or more without serious questions. Then it is written only if it recognises
    significantly more of the held-out sightings.
    """
    learning.adapt(
        data or (),
        LedgerPictures(ledger_url, data_dir, individuals) if from_ledger else None,
        output,
        learning.AdaptationOptions(
            backbone=backbone,
            weights=weights,
            split=split,
            hold_out=hold_out,
            input_view=input_view,
            image_size=image_size,
            seed=seed,
            accept_non_commercial=accept_non_commercial,
        ),
    )
