"""`resight adapt`: the default model, fitted to labelled animals in minutes."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer

from resight.commands.recognition.train import labelled, progress_bar
from resight.console import CommandError, DataDir, FromLedger, Individuals, LedgerUrl, note, results
from resight.ledger_tools.confident_individuals import confident_photographs
from resight.stack.state import DEFAULT_FOLDER


def adapt(
    *,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of labelled pictures with a metadata.csv; may be repeated."),
    ] = None,
    from_ledger: FromLedger = False,
    individuals: Individuals = "all",
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    output: Annotated[Path, typer.Option(help="Folder for the model and its card.")],
    backbone: Annotated[
        str, typer.Option(help="Network whose features are used; `resight export --list`.")
    ] = "efficientnet_lite0_stages",
    weights: Annotated[
        str | None,
        typer.Option(
            help="File of weights, or 'random'. Default: the published ones.", show_default=False
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Where metadata.csv has a column `split`: only rows with this value.",
            show_default=False,
        ),
    ] = None,
    hold_out: Annotated[
        str,
        typer.Option(
            help="Split that the model is examined by before it learns from everything: "
            "encounter, closed, time, none; auto takes encounters where there are any."
        ),
    ] = "auto",
    input_view: Annotated[
        Literal["auto", "crop", "animal"],
        typer.Option(
            help="What the model is shown, here and by the embedder: crop: all of it; animal: cut "
            "out by U²-Netp; auto: what recognises held-out pictures better."
        ),
    ] = "auto",
    image_size: Annotated[
        int | None,
        typer.Option(min=32, help="Side of the input. Default: as made.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the examination's split.")] = 0,
    accept_non_commercial: Annotated[
        bool,
        typer.Option("--accept-non-commercial", help="Weights not free for commercial use are ok."),
    ] = False,
) -> None:
    """Fit the default model to your own labelled animals, in minutes and without a GPU.

    The network stays as it is; what tells your individuals apart is solved for in closed
    form. --output holds a model.onnx for `resight up --model`. Calibrate afterwards, on
    pictures that it did not learn from.

    With --from-ledger it learns from individuals that are certain: those of whom people have
    spoken, and those without serious doubt, of two sightings or more. Then it is written
    only if it recognises more of the sightings that it did not learn from, and surely no fewer.
    """
    # PyTorch takes seconds to import, and few commands need it.
    from recognition.training.adaptation import adaptation  # noqa: PLC0415
    from recognition.training.adaptation.card import card  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder, progress_bar() as progress:
        photographs = labelled(data, split) if data else []
        if from_ledger:
            crops = confident_photographs(ledger_url, data_dir, Path(folder), individuals)
            times = Counter(each.identities for each in crops)
            photographs += [each for each in crops if times[each.identities] > 1]
        if not photographs:
            raise CommandError("no labelled pictures: name folders with --data, or --from-ledger")
        adapted = adaptation.adapt(
            photographs,
            backbone,
            input_view=None if input_view == "auto" else input_view,
            weights=weights,
            input_size=image_size,
            hold_out=hold_out,
            seed=seed,
            accept_restricted=accept_non_commercial,
            progress=progress,
        )
    if adapted.r1 is not None:
        note(f"R-1 of held-out pictures: {adapted.r1_before:.3f} before, {adapted.r1:.3f} after")
    if from_ledger and not adapted.better:
        raise CommandError(
            "the adapted model is no better on pictures that it did not learn from, or may be "
            "worse, so the one that serves stays; more answers (`resight individuals questions`) "
            "teach more"
        )
    if adapted.input_view == "animal":
        note("it sees animals alone; the embedder finds them, with its default segmenter u2netp")
    model = adaptation.write(adapted, output, card(adapted))
    results.print(f"wrote {model}; what it is: {output / 'card.md'}", soft_wrap=True)
