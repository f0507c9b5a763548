"""Adapts the default model and writes it with its card."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recognition.defaults import ADAPTED_BACKBONE
from resight.console import CommandError, note, results, stage_bar
from resight.learning.pictures import LedgerPictures, labelled


@dataclass(frozen=True)
class AdaptationOptions:
    """How to adapt; see `recognition.training.adaptation.adaptation.adapt`."""

    backbone: str = ADAPTED_BACKBONE
    weights: str | None = None
    split: str | None = None
    hold_out: str = "auto"
    input_view: Literal["auto", "crop", "animal"] = "auto"
    image_size: int | None = None
    seed: int = 0
    accept_non_commercial: bool = False


def adapt(
    folders: Sequence[Path],
    ledger: LedgerPictures | None,
    output: Path,
    options: AdaptationOptions = AdaptationOptions(),
) -> Path:
    """Adapt the model to labelled pictures, and return the ONNX file.

    Raises:
        CommandError: there are no pictures, or a model of a ledger's is not better.
    """
    # PyTorch takes seconds to import, and few commands need it.
    from recognition.training.adaptation import adaptation  # noqa: PLC0415
    from recognition.training.adaptation.card import card  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as crops, stage_bar() as progress:
        photographs = labelled(folders, options.split) if folders else []
        if ledger:
            found = ledger.photographs(Path(crops))
            times = Counter(each.identities for each in found)
            photographs += [each for each in found if times[each.identities] > 1]
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
    if ledger and not adapted.better:
        raise CommandError(
            "the adapted model is not better on held-out pictures, so the current one stays; more "
            "answers (`resight individuals questions`) give more training data"
        )
    if adapted.input_view == "animal":
        note("it sees the animal alone, which the default segmenter (u2netp) cuts out")
    model = adaptation.write(adapted, output, card(adapted))
    results.print(f"wrote {model}; model card: {output / 'card.md'}", soft_wrap=True)
    return model
