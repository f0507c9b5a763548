"""A user's network: what fits is used as documented, what does not is refused at the start."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from shared.errors import SettingsError
from shared.foreground.onnx_segmenter import OnnxSegmenter, Stability

Shape = list[int | str]


def _network(
    path: Path,
    shape: Shape,
    output: Shape,
    *,
    kind: int = TensorProto.FLOAT,
    channels: int = 1,
    scale: float = 1.0,
) -> Path:
    """Write a network that returns the mean over the axis `channels`, times `scale`."""
    nodes = [
        helper.make_node("Cast", ["picture"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node(
            "ReduceMean", ["floats", "axis"], ["mean"], keepdims=int(len(output) == 4)
        ),
        helper.make_node("Mul", ["mean", "scale"], ["mask"]),
    ]
    constants = [
        helper.make_tensor("axis", TensorProto.INT64, [1], [channels]),
        helper.make_tensor("scale", TensorProto.FLOAT, [1], [scale]),
    ]
    graph = helper.make_graph(
        nodes,
        "bright",
        [helper.make_tensor_value_info("picture", kind, shape)],
        [helper.make_tensor_value_info("mask", TensorProto.FLOAT, output)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path)
    return path


BRIGHT = np.zeros((60, 90, 3), np.uint8)
BRIGHT[:, :30] = 255


@pytest.mark.parametrize(
    ("shape", "output", "axis"),
    [
        ([1, 3, 32, 48], [1, 1, 32, 48], 1),
        ([1, 32, 48, 3], [1, 32, 48, 1], 3),
        ([1, 32, 48, 3], [1, 32, 48], 3),
        (["n", 3, "h", "w"], ["n", 1, "h", "w"], 1),
    ],
)
@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.UINT8])
def test_a_network_of_every_documented_form_is_used(
    tmp_path: Path, shape: Shape, output: Shape, axis: int, kind: int
) -> None:
    scale = 1.0 if kind == TensorProto.FLOAT else 1 / 255
    path = _network(tmp_path / "m.onnx", shape, output, kind=kind, channels=axis, scale=scale)
    mask = OnnxSegmenter(path.read_bytes(), path.name, 0.5).masks([BRIGHT])[0]
    assert mask.shape == BRIGHT.shape[:2]
    assert mask[:, :28].all()
    assert not mask[:, 32:].any()


def test_the_threshold_is_in_the_networks_own_scale(tmp_path: Path) -> None:
    path = _network(tmp_path / "m.onnx", [1, 3, 32, 48], [1, 1, 32, 48], scale=10.0)
    assert OnnxSegmenter(path.read_bytes(), path.name, 9.0).masks([BRIGHT])[0].any()
    assert not OnnxSegmenter(path.read_bytes(), path.name, 11.0).masks([BRIGHT])[0].any()


@pytest.mark.parametrize(("most", "sure"), [(0.9, True), (0.7, False)])
def test_where_the_animal_ends_for_one_threshold_only_nothing_is_found(
    tmp_path: Path, most: float, sure: bool
) -> None:
    path = _network(tmp_path / "m.onnx", [1, 3, 32, 48], [1, 1, 32, 48], scale=most)
    demand = Stability(low=0.2, high=0.8, least=0.6)
    segmenter = OnnxSegmenter(path.read_bytes(), path.name, 0.5, stability=demand)
    assert segmenter.masks([BRIGHT])[0].any() == sure
    assert OnnxSegmenter(path.read_bytes(), path.name, 0.5).masks([BRIGHT])[0].any()


def test_the_share_that_must_be_sure_is_of_what_a_low_threshold_finds() -> None:
    values = np.array([[0.0, 0.1, 0.3, 0.9, 0.9]], np.float32)
    assert Stability(low=0.2, high=0.8, least=0.66).holds(values)
    assert not Stability(low=0.2, high=0.8, least=0.67).holds(values)
    assert not Stability(low=0.95, high=0.99, least=0.5).holds(values)


def test_the_demand_is_in_the_fingerprint(tmp_path: Path) -> None:
    path = _network(tmp_path / "m.onnx", [1, 3, 32, 48], [1, 1, 32, 48])
    demands = [None, Stability(0.2, 0.8, 0.6), Stability(0.2, 0.8, 0.7), Stability(0.1, 0.8, 0.6)]
    names = {
        OnnxSegmenter(path.read_bytes(), path.name, 0.5, stability=demand).fingerprint
        for demand in demands
    }
    assert len(names) == len(demands)


def test_file_and_threshold_are_in_the_fingerprint(tmp_path: Path) -> None:
    one = _network(tmp_path / "one.onnx", [1, 3, 32, 48], [1, 1, 32, 48])
    other = _network(tmp_path / "other.onnx", [1, 3, 32, 48], [1, 1, 32, 48], scale=2.0)
    prints = {
        OnnxSegmenter(path.read_bytes(), path.name, at).fingerprint
        for path in (one, other)
        for at in (0.0, 0.5)
    }
    assert len(prints) == 4


@pytest.mark.parametrize(
    ("shape", "output", "axis", "fault"),
    [
        ([1, 1, 32, 48], [1, 1, 32, 48], 1, "takes"),
        ([3, 32, 48], [1, 32, 48], 0, "inputs"),
        ([1, 3, 32, 48], [1, 3, 1, 48], 2, "one channel"),
    ],
)
def test_a_network_of_another_form_is_refused(
    tmp_path: Path, shape: Shape, output: Shape, axis: int, fault: str
) -> None:
    path = _network(tmp_path / "m.onnx", shape, output, channels=axis)
    with pytest.raises(SettingsError, match=fault):
        OnnxSegmenter(path.read_bytes(), path.name, 0.5)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(SettingsError, match="not a loadable ONNX model"):
        OnnxSegmenter(path.read_bytes(), path.name, 0.5)
