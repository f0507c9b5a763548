"""The folder that a Triton server loads an exported model from."""

import shutil
from pathlib import Path

import onnx

from services.embedder.encoder import (
    EMBEDDING,
    INPUT,
    INPUT_SIZE,
    NAME,
    PREPROCESSING,
    VERSION,
)
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
    properties = onnx.load(model, load_external_data=False).metadata_props
    metadata = {entry.key: entry.value for entry in properties}
    served = model_name(
        ModelReference(
            name=metadata[NAME], version=metadata[VERSION], preprocessing=metadata[PREPROCESSING]
        )
    )
    folder = repository / served
    (folder / "1").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model, folder / "1" / "model.onnx")
    (folder / "config.pbtxt").write_text(_configuration(served, metadata[INPUT_SIZE], max_batch))
    return folder


def _configuration(served: str, side: str, max_batch: int) -> str:
    return f"""\
name: "{served}"
backend: "onnxruntime"
max_batch_size: {max_batch}
input [ {{ name: "{INPUT}" data_type: TYPE_UINT8 dims: [ {side}, {side}, 3 ] }} ]
output [ {{ name: "{EMBEDDING}" data_type: TYPE_FP32 dims: [ {DIMENSION} ] }} ]
dynamic_batching {{ max_queue_delay_microseconds: {QUEUE_DELAY_MICROSECONDS} }}
"""
