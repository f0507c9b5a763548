"""A tiny model file that keeps the encoder's contract: linear, 32 × 32 pixels, milliseconds."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from services.embedder.encoders import encoder, reference
from services.embedder.encoders.onnx_encoder import OnnxEncoder
from services.embedder.encoders.preparation import Preparation

SIDE = 32
NAME = "tiny"


def tiny_model(
    path: Path, *, viewpoint: int | None = None, version: str = "v1", finds: str = ""
) -> Path:
    """Write the model; with `viewpoint` it also scores that viewpoint highest for every crop.

    With `finds` it is one of animals alone, which that finder found.
    """
    values = SIDE * SIDE * 3
    weights = np.random.default_rng(0).normal(size=(values, 512)).astype(np.float32)
    constants: dict[str, NDArray[Any]] = {
        "flat": np.array([-1, values], np.int64),
        "weights": weights,
    }
    nodes = [
        helper.make_node("Cast", [encoder.INPUT], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["pixels", "flat"], ["rows"]),
        helper.make_node("MatMul", ["rows", "weights"], ["raw"]),
        helper.make_node("LpNormalization", ["raw"], [encoder.EMBEDDING], axis=1, p=2),
    ]
    outputs = [helper.make_tensor_value_info(encoder.EMBEDDING, TensorProto.FLOAT, ["B", 512])]
    if viewpoint is not None:
        pull = np.zeros((512, 6), np.float32)
        bias = np.eye(6, dtype=np.float32)[viewpoint]
        constants |= {"pull": pull, "bias": bias}
        nodes.append(helper.make_node("MatMul", [encoder.EMBEDDING, "pull"], ["pulled"]))
        nodes.append(helper.make_node("Add", ["pulled", "bias"], [encoder.VIEWPOINT]))
        outputs.append(
            helper.make_tensor_value_info(encoder.VIEWPOINT, TensorProto.FLOAT, ["B", 6])
        )
    image = helper.make_tensor_value_info(encoder.INPUT, TensorProto.UINT8, ["B", SIDE, SIDE, 3])
    initial = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, NAME, [image], outputs, initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    metadata = {
        encoder.NAME: NAME,
        encoder.VERSION: version,
        encoder.PREPROCESSING: Preparation(SIDE, finder=finds).fingerprint,
        encoder.INPUT_SIZE: str(SIDE),
    }
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    made = OnnxEncoder(path, threads=1).encode(reference.pictures(SIDE)).embeddings
    return referring(path, made)


def referring(path: Path, embeddings: NDArray[np.float32]) -> Path:
    """Write into a model file that it must give these embeddings of the reference pictures."""
    model = onnx.load(path)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    metadata[reference.REFERENCE] = reference.pack(embeddings)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path
