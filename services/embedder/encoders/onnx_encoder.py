"""Runs the model in this process, by ONNX Runtime."""

from pathlib import Path

import onnxruntime

from services.embedder.encoders.encoder import (
    EMBEDDING,
    INPUT,
    INPUT_SIZE,
    NAME,
    PREPROCESSING,
    VERSION,
    VIEWPOINT,
    Encoding,
    read_outputs,
)
from services.embedder.encoders.reference import REFERENCE
from shared.errors import SettingsError
from shared.images.rgb import Pixels
from shared.messages import ModelReference

LOG_ERRORS_ONLY = 3


class OnnxEncoder:
    """An `Encoder` on a model file made by `resight export`.

    Args:
        path: the ONNX file; its metadata name the model.
        provider: the execution provider. ONNX Runtime falls back to the CPU silently (onnxruntime
            #23372, #17801); here that is an error.
        threads: per operator; 0 uses every core.

    Raises:
        SettingsError: the file is missing or not a Resight model, or the provider is unavailable.
    """

    def __init__(self, path: Path, provider: str = "CPUExecutionProvider", threads: int = 0):
        self._session = _session(path, provider, threads)
        metadata = self._session.get_modelmeta().custom_metadata_map
        missing = {NAME, VERSION, PREPROCESSING, INPUT_SIZE} - metadata.keys()
        if missing:
            raise SettingsError(
                f"{path} lacks the metadata {', '.join(sorted(missing))}; "
                "make the model file with `resight export`"
            )
        self._input_size = int(metadata[INPUT_SIZE])
        self._model = ModelReference(
            name=metadata[NAME], version=metadata[VERSION], preprocessing=metadata[PREPROCESSING]
        )
        self._reference = metadata.get(REFERENCE, "")
        outputs = [output.name for output in self._session.get_outputs()]
        self._outputs = [name for name in (EMBEDDING, VIEWPOINT) if name in outputs]

    @property
    def model(self) -> ModelReference:
        return self._model

    @property
    def input_size(self) -> int:
        return self._input_size

    @property
    def reference(self) -> str:
        """What the file says it must compute (see `reference`); '' in a file of an older export."""
        return str(self._reference)

    def encode(self, batch: Pixels) -> Encoding:
        values = self._session.run(self._outputs, {INPUT: batch})
        return read_outputs(len(batch), values[0], values[1] if len(values) > 1 else None)

    def ready(self) -> bool:
        return True


def _session(path: Path, provider: str, threads: int) -> "onnxruntime.InferenceSession":
    if not path.is_file():
        raise SettingsError(
            f"RESIGHT_ENCODER_MODEL_PATH={str(path)!r}: no such file; make it with `resight export`"
        )
    if provider not in onnxruntime.get_available_providers():
        raise SettingsError(
            f"RESIGHT_ENCODER_PROVIDER={provider!r} is not in this build of ONNX Runtime, which "
            f"has {', '.join(onnxruntime.get_available_providers())}"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = LOG_ERRORS_ONLY
    try:
        session = onnxruntime.InferenceSession(path, options, providers=[provider])
    except Exception as error:  # its exceptions share no other base
        raise SettingsError(f"{path} is not a loadable ONNX model: {error}") from error
    if session.get_providers()[0] != provider:
        raise SettingsError(
            f"ONNX Runtime runs {path} on {session.get_providers()[0]} instead of {provider}; "
            "check the driver and libraries of the device"
        )
    return session
