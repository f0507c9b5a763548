"""`resight export`: a network as the ONNX file that the embedder or Triton loads."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import typer
from google.protobuf.message import DecodeError
from rich.table import Table

from catalogue.reading.catalogue import Photograph
from catalogue.reading.decodable import decodable
from catalogue.reading.photographs import single
from resight.commands.recognition.options import ImageSize, NonCommercial
from resight.console import CommandError, results
from resight.sources import read_catalogue, show_notes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recognition.models.triton import Device

# Activation ranges settle with far fewer; the loss is measured on all pictures.
_RANGING = 128


def export(
    name: Annotated[
        str | None, typer.Argument(help="Network: see --list.", show_default=False)
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Output file.", show_default=False)] = None,
    *,
    weights: Annotated[
        str | None,
        typer.Option(
            help="File of weights that `resight train` wrote, or 'random'. Default: the "
            "published ones.",
            show_default=False,
        ),
    ] = None,
    image_size: ImageSize = None,
    int8: Annotated[
        bool,
        typer.Option("--int8", help="Write it in 8 bits, as a different model, beside OUTPUT."),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            help="With --int8: pictures on which to find the ranges and to measure what it costs.",
            show_default=False,
        ),
    ] = None,
    triton: Annotated[
        Path | None,
        typer.Option(
            help="Model repository: add the file as Triton loads it. NETWORK may then be an "
            "existing ONNX file.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        Literal["cpu", "cuda", "tensorrt"],
        typer.Option(help="With --triton: device. tensorrt: FP16, engines in /engines."),
    ] = "cpu",
    instances: Annotated[int, typer.Option(min=1, help="With --triton: instances per device.")] = 1,
    accept_non_commercial: NonCommercial = False,
    list_: Annotated[bool, typer.Option("--list", help="List the backbones and exit.")] = False,
) -> None:
    """Export a network to ONNX and verify it against PyTorch.

    Normalisation is part of the file: it takes uint8 [B, H, W, 3] and returns 512 numbers of unit
    length, and the viewpoint if it has a viewpoint head. Its metadata name the model and its
    version.

    With --triton a Triton server can load it from a model repository. Its ID, for
    RESIGHT_ENCODER_MODEL, is printed.
    """
    if list_:
        results.print(_networks())
        return
    if name and triton and Path(name).is_file():
        _lay_out(Path(name), triton, device, instances)
        return
    if name is None or output is None:
        raise CommandError(
            "give a network and --output FILE; `resight export --list` shows the networks"
        )
    # PyTorch takes seconds to import, and few commands need it.
    from recognition.models.export import export as export_backbone  # noqa: PLC0415

    written = export_backbone(
        name,
        output,
        weights,
        input_size=image_size,
        accept_restricted=accept_non_commercial,
    )
    results.print(f"wrote {written}", soft_wrap=True)
    if triton:
        _lay_out(written, triton, device, instances)
    if int8:
        _quantise(written, _animals(data) if data else [])


def _lay_out(model: Path, repository: Path, device: "Device", instances: int) -> None:
    from recognition.models.triton import write_repository  # noqa: PLC0415

    try:
        folder = write_repository(model, repository, device=device, instances=instances)
    except KeyError as error:
        raise CommandError(
            f"{model} was not made by `resight export`, `train` or `adapt`: it lacks {error}"
        ) from error
    except DecodeError as error:
        raise CommandError(f"{model} is not an ONNX model: {error}") from error
    results.print(f"wrote {folder}; RESIGHT_ENCODER_MODEL={_model_id(model)}", soft_wrap=True)


def _model_id(file: Path) -> str:
    """Return the model ID of a file, by which an embedder requests it from Triton."""
    from services.embedder.encoders.onnx_encoder import OnnxEncoder  # noqa: PLC0415
    from services.embedder.encoders.preparation import Preparation  # noqa: PLC0415

    encoder = OnnxEncoder(file)
    model, side = encoder.model, encoder.input_size
    view = "crop" if model.preprocessing == Preparation(side).fingerprint else "animal"
    return f"{model.name}@{model.version}:{side}:{view}"


def _networks() -> Table:
    from recognition.models.architectures import BACKBONES  # noqa: PLC0415

    table = Table("network", "input", "published weights", "their licence")
    table.columns[0].no_wrap = True
    for name, network in BACKBONES.items():
        licence = network.licence + (" *" if network.restricted else "")
        table.add_row(name, str(network.input_size), network.source, licence)
    table.caption = "* not free for commercial use: needs --accept-non-commercial"
    return table


def _animals(folder: Path) -> list[Photograph]:
    catalogue = decodable(read_catalogue([folder]))
    show_notes(catalogue)
    found = list(single(catalogue.photographs))
    if not found:
        raise CommandError(f"no pictures in {folder}")
    return found


def _quantise(model: Path, photographs: list[Photograph]) -> None:
    from recognition.models.quantisation import cost, quantise  # noqa: PLC0415
    from recognition.training.data.crops import decode  # noqa: PLC0415
    from services.embedder.encoders.onnx_encoder import OnnxEncoder  # noqa: PLC0415
    from services.embedder.encoders.preparation import Preparation  # noqa: PLC0415
    from shared.foreground.u2netp import u2netp  # noqa: PLC0415

    target = model.with_name(f"{model.stem}-int8{model.suffix}")
    if not photographs:
        results.print(
            f"wrote {quantise(model, target)}; add --data to measure the loss in accuracy"
        )
        return
    encoder = OnnxEncoder(model)
    alone = encoder.model.preprocessing != Preparation(encoder.input_size).fingerprint
    segmenter = u2netp() if alone else None
    pictures = decode(photographs, encoder.input_size, segmenter, alone=alone).exact
    some = np.linspace(0, len(pictures) - 1, min(_RANGING, len(pictures))).round().astype(int)
    quantise(model, target, pictures[some])
    told = cost(model, target, pictures)
    results.print(
        f"wrote {target}: {told.bytes / 1e6:.1f} MB instead of {told.original_bytes / 1e6:.1f}; "
        f"cosine to the original {told.median_cosine:.4f} in the median, "
        f"{told.worst_cosine:.4f} at worst, on {len(pictures)} pictures",
        soft_wrap=True,
    )
    _compare(model, target, photographs, pictures)


def _compare(
    model: Path, quantised: Path, photographs: list[Photograph], pictures: "NDArray[np.uint8]"
) -> None:
    """Print R-1 of both models, each picture against all others."""
    from recognition.models.quantisation import embed  # noqa: PLC0415
    from recognition.training.data.validation_queries import build_queries  # noqa: PLC0415

    labelled = [number for number, each in enumerate(photographs) if each.identities[0]]
    everyone = build_queries(photographs, labelled, labelled)
    if everyone.answerable.any():
        before, after = (everyone.r1(embed(path, pictures)) for path in (model, quantised))
        results.print(f"R-1, each picture against all others: {after:.3f} instead of {before:.3f}")
