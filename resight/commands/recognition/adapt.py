"""`resight adapt`: adapt the default model to labelled animals in minutes."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from resight.commands.recognition.train import labelled, progress_bar
from resight.console import (
    CommandError,
    DataDir,
    FromLedger,
    Individuals,
    LedgerUrl,
    Share,
    note,
    results,
)
from resight.ledger_tools.confident_individuals import confident_photographs
from resight.stack_state import DEFAULT_FOLDER

BACKBONE = "efficientnet_lite0_stages"


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
    ] = BACKBONE,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Weights: a file, or 'random'. Default: the published ones.", show_default=False
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Only rows of metadata.csv whose `split` column has this value.",
            show_default=False,
        ),
    ] = None,
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
    image_size: Annotated[
        int | None,
        typer.Option(
            min=32, help="Input size in pixels. Default: the backbone's.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the validation split.")] = 0,
    accept_non_commercial: Annotated[
        bool,
        typer.Option(
            "--accept-non-commercial", help="Allow weights that are not free for commercial use."
        ),
    ] = False,
) -> None:
    """Adapt the default model to your labelled animals, in minutes and without a GPU.

    The network is frozen; a linear head that separates your individuals is solved in closed form.
    --output gets a model.onnx for `resight up --model`. Calibrate afterwards, on pictures that it
    was not trained on.

    With --from-ledger it is trained on confident individuals: those reviewed by people, and those
    of two sightings or more without serious questions. Then it is written only if it recognises
    significantly more of the held-out sightings.
    """
    fit(
        data or (),
        from_ledger=from_ledger,
        individuals=individuals,
        ledger_url=ledger_url,
        data_dir=data_dir,
        output=output,
        options=Options(
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


@dataclass(frozen=True)
class Options:
    """The options of `resight adapt` that other commands do not change."""

    backbone: str = BACKBONE
    weights: str | None = None
    split: str | None = None
    hold_out: str = "auto"
    input_view: Literal["auto", "crop", "animal"] = "auto"
    image_size: int | None = None
    seed: int = 0
    accept_non_commercial: bool = False


def fit(
    data: Sequence[Path],
    *,
    from_ledger: bool,
    individuals: Share,
    ledger_url: str | None,
    data_dir: Path,
    output: Path,
    options: Options,
) -> None:
    """Adapt the model and write it."""
    # PyTorch takes seconds to import, and few commands need it.
    from recognition.training.adaptation import adaptation  # noqa: PLC0415
    from recognition.training.adaptation.card import card  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder, progress_bar() as progress:
        photographs = labelled(list(data), options.split) if data else []
        if from_ledger:
            crops = confident_photographs(ledger_url, data_dir, Path(folder), individuals)
            times = Counter(each.identities for each in crops)
            photographs += [each for each in crops if times[each.identities] > 1]
        if not photographs:
            raise CommandError("no labelled pictures: name folders with --data, or --from-ledger")
        adapted = adaptation.adapt(
            photographs,
            options.backbone,
            input_view=None if options.input_view == "auto" else options.input_view,
            weights=options.weights,
            input_size=options.image_size,
            hold_out=options.hold_out,
            seed=options.seed,
            accept_restricted=options.accept_non_commercial,
            progress=progress,
        )
    if adapted.r1 is not None:
        note(f"R-1 on held-out pictures: {adapted.r1_before:.3f} before, {adapted.r1:.3f} after")
    if from_ledger and not adapted.better:
        raise CommandError(
            "the adapted model is not better on held-out pictures, so the current one stays; more "
            "answers (`resight individuals questions`) give more training data"
        )
    if adapted.input_view == "animal":
        note("it sees the animal alone, which the default segmenter (u2netp) cuts out")
    model = adaptation.write(adapted, output, card(adapted))
    results.print(f"wrote {model}; model card: {output / 'card.md'}", soft_wrap=True)
