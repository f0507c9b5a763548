"""Writes the model repository that a Triton server loads."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import onnx
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import (
    TYPE_FP32,
    TYPE_UINT8,
    ModelConfig,
    ModelInstanceGroup,
    ModelQueuePolicy,
)

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
from services.embedder.encoders.reference import REFERENCE
from shared.embeddings import DIMENSION, model_name
from shared.messages import ModelReference

# ONNX Runtime's execution provider.
Device = Literal["cpu", "cuda", "tensorrt"]

MAX_BATCH = 64
QUEUE_DELAY_MICROSECONDS = 2000
# A request that waits longer, or does not fit, is rejected, and the embedder retries.
QUEUE_TIMEOUT_MICROSECONDS = 5_000_000
QUEUE_BATCHES = 4
# TensorRT builds one engine for all batch sizes, and caches it.
USUAL_BATCH = 16
ENGINES = "/engines"
WORKSPACE_BYTES = 2 << 30


def write_repository(
    model: Path,
    repository: Path,
    max_batch: int = MAX_BATCH,
    device: Device = "cpu",
    instances: int = 1,
) -> Path:
    """Add an exported ONNX file to a model repository; return the model's folder.

        <repository>/<name>-<version>-<preprocessing>/config.pbtxt
        <repository>/<name>-<version>-<preprocessing>/1/model.onnx

    The embedder requests the model by that whole name. With "tensorrt" the server's folder
    `/engines` caches TensorRT's engines.

    Raises:
        KeyError: the file lacks Resight's metadata; `recognition.models.export` writes them.
    """
    graph = onnx.load(model, load_external_data=False)
    metadata = {entry.key: entry.value for entry in graph.metadata_props}
    served = model_name(
        ModelReference(
            name=metadata[NAME], version=metadata[VERSION], preprocessing=metadata[PREPROCESSING]
        )
    )
    told = _model(served, metadata, max_batch)
    if VIEWPOINT in [output.name for output in graph.graph.output]:
        told.output.add(name=VIEWPOINT, data_type=TYPE_FP32, dims=[len(VIEWPOINTS)])
    _place(told, int(metadata[INPUT_SIZE]), device, instances)
    folder = repository / served
    (folder / "1").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model, folder / "1" / "model.onnx")
    (folder / "config.pbtxt").write_text(text_format.MessageToString(told))
    return folder


def _model(served: str, metadata: Mapping[str, str], max_batch: int) -> Any:
    """Return the part common to all devices."""
    side = int(metadata[INPUT_SIZE])
    told = ModelConfig(name=served, backend="onnxruntime", max_batch_size=max_batch)
    told.version_policy.specific.versions.append(1)
    told.input.add(name=INPUT, data_type=TYPE_UINT8, dims=[side, side, 3])
    told.output.add(name=EMBEDDING, data_type=TYPE_FP32, dims=[DIMENSION])
    told.dynamic_batching.max_queue_delay_microseconds = QUEUE_DELAY_MICROSECONDS
    queue = told.dynamic_batching.default_queue_policy
    queue.timeout_action = ModelQueuePolicy.REJECT
    queue.default_timeout_microseconds = QUEUE_TIMEOUT_MICROSECONDS
    queue.max_queue_size = QUEUE_BATCHES * max_batch
    for batch in (1, max_batch):
        # The first request of a size is slow; this moves it to loading.
        warm = told.model_warmup.add(name=f"batch of {batch}", batch_size=batch)
        image = warm.inputs[INPUT]
        image.data_type, image.zero_data = TYPE_UINT8, True
        image.dims.extend([side, side, 3])
    if REFERENCE in metadata:
        told.parameters[REFERENCE].string_value = metadata[REFERENCE]
    return told


def _place(told: Any, side: int, device: Device, instances: int) -> None:
    """Return the part for a device."""
    kind = ModelInstanceGroup.KIND_CPU if device == "cpu" else ModelInstanceGroup.KIND_GPU
    told.instance_group.add(count=instances, kind=kind)
    if device == "tensorrt":
        accelerators = told.optimization.execution_accelerators.gpu_execution_accelerator
        parameters = accelerators.add(name="tensorrt").parameters
        parameters["precision_mode"] = "FP16"
        parameters["max_workspace_size_bytes"] = str(WORKSPACE_BYTES)
        parameters["trt_engine_cache_enable"] = "true"
        parameters["trt_engine_cache_path"] = ENGINES
        sizes = {"min": 1, "opt": min(USUAL_BATCH, told.max_batch_size), "max": told.max_batch_size}
        for name, batch in sizes.items():
            # Without all three it builds a new engine for every batch size.
            parameters[f"trt_profile_{name}_shapes"] = f"{INPUT}:{batch}x{side}x{side}x3"
