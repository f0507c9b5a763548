"""Exports LightGlue to ONNX, in full precision or with 8-bit products.

Missing files are exported in ten seconds and kept. The 8-bit ones quantise activations dynamically;
weights get 7 bits, because processors without VNNI accumulate 8-bit products in 16 bits and
saturate, which would give other matches.

    python -m services.matcher.pair_matchers.onnx_export aliked-n16 3 int8
"""

import argparse
import logging
import os
import tempfile
import time
import warnings
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from services.matcher.pair_matchers.lightglue import VARIANTS, Variant, load
from shared.errors import SettingsError

log = logging.getLogger(__name__)

FORMAT = 1
OPSET = 20
INPUTS = ("places0", "descriptors0", "places1", "descriptors1")
OUTPUT = "scores"
Precision = Literal["full", "int8"]


class _Pair(torch.nn.Module):
    """The log-assignment [1, M, N] of positions [1, M, 2] and descriptors [1, M, D] each."""

    def __init__(self, variant: Variant, layers: int) -> None:
        super().__init__()
        self.network = load(variant, layers, threshold=0.0).network
        self.layers = layers

    def forward(self, one_at: Tensor, one: Tensor, other_at: Tensor, other: Tensor) -> Tensor:
        network: Any = self.network
        one, other = network.input_proj(one), network.input_proj(other)
        turned_one, turned_other = network.posenc(one_at), network.posenc(other_at)
        for layer in network.transformers[: self.layers]:
            one, other = layer(one, other, turned_one, turned_other)
        head = network.log_assignment[self.layers - 1]
        scale = one.shape[-1] ** 0.25
        alike = (head.final_proj(one) / scale) @ (head.final_proj(other) / scale).transpose(1, 2)
        sure_one = functional.logsigmoid(head.matchability(one))
        sure_other = functional.logsigmoid(head.matchability(other))
        scores = functional.log_softmax(alike, 2) + functional.log_softmax(alike, 1)
        return scores + sure_one + sure_other.transpose(1, 2)


def exported(variant: Variant, layers: int, precision: Precision, folder: Path) -> Path:
    """Return the file in `folder`, exported if missing.

    Raises:
        SettingsError: the folder is not writable, or packages are missing.
    """
    version = load(variant, layers, threshold=0.0).model.version
    path = folder / f"{variant.name}-{layers}-{version}-{precision}-{FORMAT}.onnx"
    if path.is_file():
        return path
    begun = time.monotonic()
    log.info("making %s", path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as draft:
            made = Path(draft, "full.onnx")
            _trace(variant, layers, made)
            if precision == "int8":
                made = _quantised(made, Path(draft))
            made.replace(path)
    except OSError as error:
        raise SettingsError(
            f"RESIGHT_MATCHER_MODELS={folder}: {path.name} is missing and cannot be written "
            f"({error}); name a writable folder, or one that has the file: python -m "
            f"services.matcher.pair_matchers.onnx_export --folder {folder}"
        ) from error
    except ImportError as error:
        raise SettingsError(
            f"{path} is missing, and exporting it needs a package that is not installed "
            f"({error}): install resight[matcher], or copy the file there"
        ) from error
    log.info("made %s in %.1f s", path, time.monotonic() - begun)
    return path


def _trace(variant: Variant, layers: int, path: Path) -> None:
    # Only lengths that differ from each other and from all other sizes stay dynamic.
    one, other = torch.rand(1, 61, 2), torch.rand(1, 53, 2)
    sample = (
        one,
        torch.rand(1, 61, variant.input_dim),
        other,
        torch.rand(1, 53, variant.input_dim),
    )
    first = torch.export.Dim("first", min=2, max=4096)
    second = torch.export.Dim("second", min=2, max=4096)
    with warnings.catch_warnings(), redirect_stdout(StringIO()), torch.inference_mode():
        warnings.simplefilter("ignore")  # onnxscript's deprecation notice
        torch.onnx.export(
            _Pair(variant, layers).eval(),
            sample,
            path,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_shapes=({1: first}, {1: first}, {1: second}, {1: second}),
            external_data=False,
            verbose=False,
        )


def _quantised(path: Path, folder: Path) -> Path:
    import onnx  # noqa: PLC0415 - only to make a file, never to run one
    import onnxruntime  # noqa: PLC0415
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415

    # The quantiser recognises weights only after constant folding.
    folded, target = folder / "folded.onnx", folder / "int8.onnx"
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folded)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    graph = onnx.load(folded).graph
    constants = {each.name for each in graph.initializer}
    products = [
        node.name
        for node in graph.node
        if node.op_type in {"MatMul", "Gemm"} and constants.intersection(node.input)
    ]
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)  # it recommends the step done just before
    try:
        quantize_dynamic(
            folded,
            target,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=products,
            per_channel=True,
            reduce_range=True,
        )
    finally:
        logging.disable(disabled)
    return target


def default_folder() -> Path:
    """Return the default folder: the user's cache."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home, "resight", "matcher")


def main() -> None:
    """Export one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extractor", choices=sorted(VARIANTS), nargs="?", default="aliked-n16")
    parser.add_argument("layers", type=int, nargs="?", default=3)
    parser.add_argument("precision", choices=("full", "int8"), nargs="?", default="int8")
    parser.add_argument("--folder", type=Path, default=default_folder())
    task = parser.parse_args()
    print(exported(VARIANTS[task.extractor], task.layers, task.precision, task.folder))  # noqa: T201


if __name__ == "__main__":
    main()
