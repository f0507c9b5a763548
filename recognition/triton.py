"""The folder that a Triton server loads an exported model from."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import onnx

from services.embedder.encoder import (
    EMBEDDING,
    INPUT,
    INPUT_SIZE,
    NAME,
    PREPROCESSING,
    VERSION,
    VIEWPOINT,
    VIEWPOINTS,
)
from services.embedder.reference import REFERENCE
from shared.embeddings import DIMENSION, model_name
from shared.messages import ModelReference

MAX_BATCH = 64
QUEUE_DELAY_MICROSECONDS = 2000


def write_repository(model: Path, repository: Path, max_batch: int = MAX_BATCH) -> Path:
    """Lay an exported ONNX file into a model repository; return the model's folder.

        <repository>/<name>-<version>-<preprocessing>/config.pbtxt
        <repository>/<name>-<version>-<preprocessing>/1/model.onnx

    The embedder asks for the model by that whole name.

    Raises:
        KeyError: the file lacks Resight's metadata; `recognition.export` writes them.
    """
    graph = onnx.load(model, load_external_data=False)
    metadata = {entry.key: entry.value for entry in graph.metadata_props}
    told = VIEWPOINT in [output.name for output in graph.graph.output]
    served = model_name(
        ModelReference(
            name=metadata[NAME], version=metadata[VERSION], preprocessing=metadata[PREPROCESSING]
        )
    )
    folder = repository / served
    (folder / "1").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model, folder / "1" / "model.onnx")
    (folder / "config.pbtxt").write_text(_configuration(served, metadata, max_batch, told))
    return folder


def _configuration(
    served: str, metadata: Mapping[str, str], max_batch: int, viewpoint: bool
) -> str:
    side = metadata[INPUT_SIZE]
    parameter = REFERENCE in metadata and (
        f'parameters {{ key: "{REFERENCE}" value {{ string_value: "{metadata[REFERENCE]}" }} }}\n'
    )
    outputs = {EMBEDDING: DIMENSION} | ({VIEWPOINT: len(VIEWPOINTS)} if viewpoint else {})
    declared = "".join(
        f'output [ {{ name: "{name}" data_type: TYPE_FP32 dims: [ {length} ] }} ]\n'
        for name, length in outputs.items()
    )
    return f"""\
name: "{served}"
backend: "onnxruntime"
max_batch_size: {max_batch}
input [ {{ name: "{INPUT}" data_type: TYPE_UINT8 dims: [ {side}, {side}, 3 ] }} ]
{declared}dynamic_batching {{ max_queue_delay_microseconds: {QUEUE_DELAY_MICROSECONDS} }}
{parameter or ""}"""
