"""U²-Netp on a GPU, in batches: the graph that ONNX Runtime runs on a CPU."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor
from torch.nn import functional

from shared.foreground import u2netp
from shared.foreground.onnx_segmenter import stretch

# A picture takes 30 MB of intermediate results.
TOGETHER = 32

Attributes = dict[str, Any]
Operation = Callable[[list[Tensor], Attributes], Tensor]


class TorchSegmenter:
    """A `Segmenter` with U²-Netp's name: its masks differ from a CPU's by single pixels.

    Raises:
        SettingsError: the wheel with the network is not installed, or holds another file.
    """

    surroundings = True

    def __init__(self, device: str) -> None:
        self.fingerprint = u2netp.FINGERPRINT
        self._device = device
        self._network = TorchGraph(u2netp.network(u2netp.FILE.read()), device)

    def masks(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
        """Return the animals' masks; empty if the network is undecided."""
        found: list[NDArray[np.bool_]] = []
        for start in range(0, len(images), TOGETHER):
            some = images[start : start + TOGETHER]
            shown = np.stack([stretch(each, u2netp.SIDE, u2netp.SIDE) for each in some])
            with torch.inference_mode():
                values = self._network(torch.from_numpy(shown).to(self._device))[:, 0]
            maps = values.float().cpu().numpy()
            found += map(u2netp.OUTLINE.mask, maps, some)
        return found


class TorchGraph:
    """A small ONNX graph with one input and one output, for batches of any length.

    It supports only U²-Netp's operators. Upsampling sizes are those of ONNX Runtime on its fixed
    input, whose batch is 1.
    """

    def __init__(self, content: bytes, device: str) -> None:
        model = onnx.load_from_string(content)
        sizes = _enlarged(model)
        self._input, self._output = model.graph.input[0].name, model.graph.output[0].name
        self._weights = {
            each.name: torch.from_numpy(numpy_helper.to_array(each).copy()).to(device)
            for each in model.graph.initializer
        }
        self._steps: list[tuple[Operation, list[str], str, Attributes]] = []
        maps = {self._input}
        for node in model.graph.node:
            # Nodes that do not depend on the picture's values compute sizes.
            if node.op_type in OPERATIONS and node.input[0] in maps:
                maps.add(node.output[0])
                named = {each.name: helper.get_attribute_value(each) for each in node.attribute}
                named["size"] = sizes.get(node.output[0])
                inputs = [each for each in node.input if each in maps or each in self._weights]
                self._steps.append((OPERATIONS[node.op_type], inputs, node.output[0], named))

    def __call__(self, batch: Tensor) -> Tensor:
        """Return the output for pictures, uint8 [B, H, W, 3]: float32 [B, 1, h, w]."""
        values = {self._input: batch, **self._weights}
        for operation, inputs, output, named in self._steps:
            values[output] = operation([values[each] for each in inputs], named)
        return values[self._output]


def _enlarged(model: onnx.ModelProto) -> dict[str, tuple[int, int]]:
    """Return the output height and width of each Resize."""
    asked = onnx.ModelProto()
    asked.CopyFrom(model)
    names = [node.output[0] for node in model.graph.node if node.op_type == "Resize"]
    asked.graph.output.extend(helper.make_empty_tensor_value_info(each) for each in names)
    session = onnxruntime.InferenceSession(
        asked.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    [picture] = session.get_inputs()
    maps = session.run(names, {picture.name: np.zeros(picture.shape, np.uint8)})
    return {name: each.shape[2:] for name, each in zip(names, maps, strict=True)}


def _convolved(inputs: list[Tensor], named: Attributes) -> Tensor:
    top, left, bottom, right = named["pads"]
    if (top, left) != (bottom, right):
        raise ValueError(f"a convolution pads {named['pads']}; only symmetric padding is supported")
    maps, weight, *bias = inputs
    return functional.conv2d(
        maps,
        weight,
        bias[0] if bias else None,
        stride=named["strides"],
        padding=(top, left),
        dilation=named["dilations"],
        groups=named["group"],
    )


def _pooled(inputs: list[Tensor], named: Attributes) -> Tensor:
    [maps] = inputs
    kernel, stride = named["kernel_shape"], named["strides"]
    return functional.max_pool2d(maps, kernel, stride, ceil_mode=bool(named["ceil_mode"]))


def _resized(inputs: list[Tensor], named: Attributes) -> Tensor:
    return functional.interpolate(inputs[0], named["size"], mode="bilinear", align_corners=False)


OPERATIONS: dict[str, Operation] = {
    "Add": lambda inputs, _: inputs[0] + inputs[1],
    "Cast": lambda inputs, _: inputs[0].float(),
    "Concat": lambda inputs, named: torch.cat(inputs, named["axis"]),
    "Conv": _convolved,
    "Div": lambda inputs, _: inputs[0] / inputs[1],
    "MaxPool": _pooled,
    "Relu": lambda inputs, _: functional.relu(inputs[0]),
    "Resize": _resized,
    "Sigmoid": lambda inputs, _: torch.sigmoid(inputs[0]),
    "Sub": lambda inputs, _: inputs[0] - inputs[1],
    "Transpose": lambda inputs, named: inputs[0].permute(named["perm"]),
}
