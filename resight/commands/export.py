"""`resight export`: a backbone as the ONNX file that the embedder or Triton loads."""

from pathlib import Path
from typing import Annotated

import typer

from resight.console import results


def export(
    name: Annotated[
        str, typer.Argument(help="Backbone: efficientnet_lite0, resnet50 or efficientnet_b3.")
    ],
    output: Annotated[Path, typer.Option(help="The file to write.")],
    weights: Annotated[
        str | None,
        typer.Option(help="File of weights, or 'random'. Default: the published ones."),
    ] = None,
) -> None:
    """Write a backbone as an ONNX file, checked against PyTorch.

    Normalisation is inside the file: it takes uint8 [B, H, W, 3] and gives 512
    numbers of unit length. Its metadata name the model and its version.
    """
    # PyTorch takes seconds to import, and no other command needs it.
    from recognition.export import export as export_backbone  # noqa: PLC0415

    results.print(f"wrote {export_backbone(name, output, weights)}")
