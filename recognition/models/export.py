"""Exports a PyTorch model to the ONNX file that the embedder loads."""

import hashlib
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from recognition.models import backbones
from recognition.models.backbones import EmbeddingModel
from services.embedder.encoders import reference
from services.embedder.encoders.encoder import (
    EMBEDDING,
    INPUT,
    INPUT_SIZE,
    NAME,
    PREPROCESSING,
    VERSION,
    VIEWPOINT,
    VIEWPOINTS,
)
from services.embedder.encoders.onnx_encoder import OnnxEncoder
from services.embedder.encoders.preparation import Preparation
from shared.errors import ResightError
from shared.files import replacing

OPSET = 18
MAX_ERROR = 1e-4
CHECKED_PICTURES = 3  # other than the traced batch size: the batch must be dynamic


# Prefixes of the heads' parameters. Tracing takes 12 s and does not depend on weights, so models
# that differ only in their heads, as adapted ones do, are traced once.
_HEADS = ("head.", "viewpoint_head.")
_traced: dict[str, onnx.ModelProto] = {}


class ParityError(ResightError):
    """The exported file computes other results than the PyTorch model."""


def export(
    name: str,
    target: Path,
    weights: str | Path | None = None,
    *,
    input_size: int | None = None,
    accept_restricted: bool = False,
) -> Path:
    """Write the ONNX file of a backbone, verify it, and return its path.

    It takes uint8 [B, S, S, 3], normalises inside, and returns float32 [B, 512] of unit length; a
    model with a viewpoint head also returns scores [B, 6]. Its metadata hold the name, the version
    (a hash of the weights) and the preprocessing that the embedder must apply.

    Args:
        name, weights, input_size, accept_restricted: see `recognition.models.backbones.build`.
        target: the file; its folder is created.

    Raises:
        WeightsError: the model cannot be built.
        ParityError: the file differs from the model by more than 1e-4; nothing is written.
    """
    model = backbones.build(
        name, weights, input_size=input_size, accept_restricted=accept_restricted
    )
    return export_model(model, target)


def export_model(model: EmbeddingModel, target: Path) -> Path:
    """Write the ONNX file of a built model; see `export`."""
    with replacing(target) as draft:
        onnx.save(_graph(model), draft)
        _check(model, draft)
    return target


def _graph(model: EmbeddingModel) -> onnx.ModelProto:
    """Return a model's graph, derived from another head's on the same backbone if possible."""
    heads = {name: each for name, each in model.state_dict().items() if name.startswith(_HEADS)}
    key = _without_heads(model, heads)
    traced = _traced.get(key) or _trace(model)
    _traced.clear()  # one is kept, since they take memory
    stored = {each.name: each for each in traced.graph.initializer}
    if heads.keys() <= stored.keys():  # otherwise the exporter has transformed a head
        _traced[key] = traced
    graph = onnx.ModelProto()
    graph.CopyFrom(traced)
    for initializer in graph.graph.initializer:
        if initializer.name in heads:
            values = heads[initializer.name].cpu().numpy()
            initializer.CopyFrom(onnx.numpy_helper.from_array(values, initializer.name))
    onnx.helper.set_model_props(
        graph,
        {
            NAME: model.name,
            VERSION: backbones.version(model),
            PREPROCESSING: Preparation(model.input_size, finder=model.finder).fingerprint,
            INPUT_SIZE: str(model.input_size),
            reference.REFERENCE: reference.pack(_reference(model)),
        },
    )
    return graph


def _without_heads(model: EmbeddingModel, heads: Mapping[str, torch.Tensor]) -> str:
    """Return a key shared by models that differ only in their heads' weights."""
    digest = hashlib.sha256(f"{model.name} {model.input_size}".encode())
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(value.shape)}".encode())
        if name not in heads:
            digest.update(value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _trace(model: EmbeddingModel) -> onnx.ModelProto:
    side = model.input_size
    sample = torch.zeros(2, side, side, 3, dtype=torch.uint8)
    with silence():
        program = torch.onnx.export(
            model.eval(),
            (sample,),
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[EMBEDDING, VIEWPOINT] if model.viewpoint_head else [EMBEDDING],
            dynamic_shapes={"image": {0: torch.export.Dim("batch", min=1, max=4096)}},
            verbose=False,
        )
    if program is None:
        raise ParityError(f"the exporter returned nothing for {model.name}")
    traced: onnx.ModelProto = program.model_proto
    return traced


def _reference(model: EmbeddingModel) -> NDArray[np.float32]:
    with torch.inference_mode():
        pictures = torch.from_numpy(reference.pictures(model.input_size))
        return np.asarray(model.embed(pictures).numpy(), dtype=np.float32)


def _check(model: EmbeddingModel, path: Path) -> None:
    onnx.checker.check_model(path, full_check=True)
    side = model.input_size
    pictures = np.random.default_rng(0).integers(
        0, 256, (CHECKED_PICTURES, side, side, 3), np.uint8
    )
    pictures[1] //= 4  # a dark one
    pictures[2] = np.linspace(0, 255, side, dtype=np.uint8)[:, None, None]  # a smooth one
    with torch.inference_mode():
        embeddings, scores = model.scores(torch.from_numpy(pictures))
    encoding = OnnxEncoder(path).encode(pictures)
    error = float(np.abs(encoding.embeddings - embeddings.numpy()).max())
    if not error < MAX_ERROR:
        raise ParityError(
            f"the ONNX file of {model.name} differs from PyTorch by {error:.2g}, more than "
            f"{MAX_ERROR:g}; do not serve it"
        )
    told = None if scores is None else tuple(VIEWPOINTS[best] for best in scores.argmax(dim=1))
    if encoding.viewpoints != told:
        raise ParityError(
            f"the ONNX file of {model.name} sees the viewpoints {encoding.viewpoints}, PyTorch "
            f"{told}; do not serve it"
        )


@contextmanager
def silence() -> Iterator[None]:
    """Hide messages of torch.onnx and of ONNX Runtime's quantiser; errors still raise."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
