"""A segmentation network, run by ONNX Runtime.

The contract of the model:

- one input: RGB, [1, 3, H, W] or [1, H, W, 3]; uint8 in 0..255 or float32 in 0..1. Other
  normalisation must be in the graph. The crop is stretched to H and W, or where they are dynamic,
  to `DYNAMIC_SIDE`.
- the first output: floats of one channel, [1, 1, h, w], [1, h, w, 1] or [1, h, w], logits or
  probabilities; values above the threshold are the animal.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from shared.errors import SettingsError

DYNAMIC_SIDE = 320
LOG_ERRORS_ONLY = 3
TYPES = ("tensor(uint8)", "tensor(float)")


@dataclass(frozen=True)
class _Input:
    name: str
    width: int
    height: int
    channels_first: bool
    bytes: bool

    def batch(self, image: NDArray[np.uint8]) -> NDArray[np.uint8] | NDArray[np.float32]:
        """Return a crop [H, W, 3] as the network takes it."""
        stretched = stretch(image, self.width, self.height)
        if self.channels_first:
            stretched = stretched.transpose(2, 0, 1)
        if self.bytes:
            return np.ascontiguousarray(stretched[None])
        return np.ascontiguousarray(stretched[None], dtype=np.float32) / np.float32(255)


@dataclass(frozen=True)
class Stability:
    """Required stability of a mask, as Segment Anything's score (arXiv:2304.02643, app. B).

    A clear outline is the same at a high and a low threshold.

    low, high: two thresholds of the network's output
    least: of the pixels above the low one, this share lies above the high one too
    """

    low: float
    high: float
    least: float

    @property
    def fingerprint(self) -> str:
        return f"stable{self.low:g}-{self.high:g}-{self.least:g}"

    def holds(self, values: NDArray[np.float32]) -> bool:
        """Return whether a network's output, [h, w], is stable enough."""
        some, sure = (int(np.count_nonzero(values > each)) for each in (self.low, self.high))
        return some > 0 and sure >= self.least * some


@dataclass(frozen=True)
class Outline:
    """How a mask follows from a network's output.

    threshold: a pixel above it is the animal
    stability: required stability of a mask, if any
    """

    threshold: float
    stability: Stability | None = None

    @property
    def fingerprint(self) -> str:
        demand = f"-{self.stability.fingerprint}" if self.stability else ""
        return f"above{self.threshold:g}{demand}"

    def mask(self, values: NDArray[np.float32], image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return the mask of an image [H, W, 3], for which a network's output is [h, w]."""
        height, width = image.shape[:2]
        if self.stability and not self.stability.holds(values):
            return np.zeros((height, width), np.bool_)
        full = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(full > self.threshold)


class OnnxSegmenter:
    """A `Segmenter` that runs a model; the module describes its contract.

    `content` is the model, `name` what errors call it. `threshold` is the value above which
    a pixel is the animal: 0.5 for probabilities, 0 for logits. `origin` names the model where
    its bytes don't, as they follow from it and from the libraries that wrote them.
    `stability` is the required stability of a mask, if any.

    Raises:
        SettingsError: it can't be loaded, or does not fit.
    """

    surroundings = True

    def __init__(
        self,
        content: bytes,
        name: str,
        threshold: float,
        threads: int = 1,
        *,
        origin: str = "",
        stability: Stability | None = None,
    ) -> None:
        origin = origin or hashlib.sha256(content).hexdigest()[:12]
        self._outline = Outline(threshold, stability)
        self.fingerprint = fingerprint(origin, self._outline)
        self._session = _session(name, content, threads)
        self._input = _input(name, self._session)
        try:
            self.masks([np.full((self._input.height, self._input.width, 3), 128, np.uint8)])
        except Exception as error:  # ONNX Runtime's exceptions share no base but this
            raise SettingsError(f"{name} is not a usable segmentation network: {error}") from error

    def masks(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
        """Return the masks; empty where the outline is not stable.

        Pictures are processed one by one: on a CPU a batch is no faster.
        """
        return [self._outline.mask(self._values(image), image) for image in images]

    def _values(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        output = self._session.run(None, {self._input.name: self._input.batch(image)})[0]
        return _one_channel(np.asarray(output))


def fingerprint(origin: str, outline: Outline) -> str:
    """Return the name of the masks of a network that `origin` names."""
    return f"onnx1-{origin}-{outline.fingerprint}"


def stretch(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return a picture [H, W, 3] stretched to the network's input size."""
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _session(name: str, content: bytes, threads: int) -> "onnxruntime.InferenceSession":
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = LOG_ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no other base
        raise SettingsError(f"{name} is not a loadable ONNX model: {error}") from error


def _input(name: str, session: "onnxruntime.InferenceSession") -> _Input:
    inputs = session.get_inputs()
    shapes = [list(each.shape) for each in inputs]
    if len(inputs) != 1 or len(shapes[0]) != 4 or inputs[0].type not in TYPES:
        raise SettingsError(
            f"{name} has the inputs {[(each.name, each.type, each.shape) for each in inputs]}; "
            "expected one, uint8 or float32, [1, 3, H, W] or [1, H, W, 3]"
        )
    [(_, *shape)] = shapes
    if 3 not in (shape[0], shape[2]):
        raise SettingsError(f"{name} takes {shapes[0]}; expected [1, 3, H, W] or [1, H, W, 3]")
    channels_first = shape[0] == 3
    height, width = (
        side if isinstance(side, int) else DYNAMIC_SIDE
        for side in (shape[1:] if channels_first else shape[:2])
    )
    return _Input(inputs[0].name, width, height, channels_first, inputs[0].type == TYPES[0])


def _one_channel(output: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return a network's output as one picture [h, w].

    Raises:
        ValueError: it is of another form.
    """
    shape = output.shape
    first, last = len(shape) == 4 and shape[1] == 1, len(shape) == 4 and shape[3] == 1
    if shape[0] != 1 or not (len(shape) == 3 or first or last) or output.dtype.kind != "f":
        raise ValueError(
            f"it returns {output.dtype} {list(shape)}; expected one channel of floats, "
            "[1, 1, h, w], [1, h, w, 1] or [1, h, w]"
        )
    picture = output[0, 0] if first else output[0, ..., 0] if last else output[0]
    return picture.astype(np.float32)
