"""Runs the model on a Triton server, over gRPC."""

import math
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

from services.embedder.encoders import reference
from services.embedder.encoders.encoder import (
    EMBEDDING,
    INPUT,
    VIEWPOINT,
    Encoding,
    read_outputs,
)
from shared.embeddings import DIMENSION, model_name
from shared.errors import SettingsError, Transient
from shared.images.rgb import Pixels
from shared.messages import ModelReference

# tritonclient gives gRPC's status as a string.
TRANSIENT = {
    "StatusCode.UNAVAILABLE",
    "StatusCode.CANCELLED",
    "StatusCode.DEADLINE_EXCEEDED",
    "StatusCode.RESOURCE_EXHAUSTED",
}
KEEPALIVE_MS = 20_000

# Use all addresses behind one name; gRPC would otherwise stay with the first.
CHANNEL = [
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
]


class TritonEncoder:
    """An `Encoder` whose model runs on Triton. One per process (triton client #731).

    The server knows the model as name-version-preprocessing, as `recognition.models.triton` lays it
    out. Every request uses that name, so no server can respond with another model's vectors, and
    two versions can be served side by side during a change.

    The server is first contacted by `encode` or `ready`. Then, and after every failure, the model's
    input and outputs are checked.

    Args:
        url: host:port of the gRPC endpoint.
        model: the expected model.
        input_size: side of its input pictures.
        max_batch: largest batch sent, unless the server's limit is smaller.
        timeout_seconds: deadline of each call; the client itself would wait for ever.
        tls: further arguments of the client for an encrypted connection.
    """

    def __init__(
        self,
        url: str,
        model: ModelReference,
        input_size: int,
        max_batch: int,
        timeout_seconds: float,
        *,
        tls: Mapping[str, Any] | None = None,
    ) -> None:
        self._url = url
        self._model = model
        self._name = model_name(model)
        self._input_size = input_size
        self._max_batch = max_batch
        self._timeout = timeout_seconds
        self._client = InferenceServerClient(url, channel_args=CHANNEL, **(tls or {}))
        # Health checks run on other threads, so this is replaced, never mutated.
        self._outputs: tuple[str, ...] = ()  # empty: not checked yet

    @property
    def model(self) -> ModelReference:
        return self._model

    @property
    def input_size(self) -> int:
        return self._input_size

    def encode(self, batch: Pixels) -> Encoding:
        """Encode uint8 [B, H, W, 3] on the server, in batches within its limit.

        Raises:
            Transient: the server does not respond in time, or is not ready.
            SettingsError: it serves another model than expected, or its embeddings differ from
                those of the machine that exported the model.
        """
        outputs = self._outputs or self._first_look()
        parts = [
            self._encoded(batch[start : start + self._max_batch], outputs)
            for start in range(0, len(batch), self._max_batch)
        ]
        told = [part.viewpoints for part in parts if part.viewpoints is not None]
        return Encoding(
            np.concatenate([part.embeddings for part in parts]),
            tuple(chain.from_iterable(told)) if told else None,
        )

    def _encoded(self, batch: Pixels, outputs: tuple[str, ...]) -> Encoding:
        image = InferInput(INPUT, list(batch.shape), "UINT8")
        image.set_data_from_numpy(np.ascontiguousarray(batch))
        result = self._ask("infer", self._name, [image], timeout=math.ceil(self._timeout * 1e6))
        scores = result.as_numpy(VIEWPOINT) if VIEWPOINT in outputs else None
        return read_outputs(len(batch), result.as_numpy(EMBEDDING), scores)

    def ready(self) -> bool:
        """Return whether the server responds and serves the expected model."""
        try:
            self._checked_outputs()
            return bool(self._ask("is_model_ready", self._name))
        except (Transient, SettingsError):
            self._outputs = ()
            return False

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _ask(self, call: str, *arguments: Any, **options: Any) -> Any:
        try:
            return getattr(self._client, call)(*arguments, client_timeout=self._timeout, **options)
        except InferenceServerException as error:
            self._outputs = ()
            if error.status() in TRANSIENT:
                raise Transient(f"Triton at {self._url}: {error}") from error
            if error.status() == "StatusCode.NOT_FOUND":
                raise self._unexpected(str(error)) from error
            raise

    def _first_look(self) -> tuple[str, ...]:
        self._outputs = outputs = self._checked_outputs()
        config = self._ask("get_model_config", self._name, as_json=True)["config"]
        stored = config.get("parameters", {}).get(reference.REFERENCE, {}).get("string_value", "")
        if stored:
            try:
                reference.check(self, stored, f"Triton at {self._url}")
            except SettingsError:
                self._outputs = ()
                raise
        return outputs

    def _checked_outputs(self) -> tuple[str, ...]:
        """Return the model's outputs, after checking that it is the expected one."""
        metadata = self._ask("get_model_metadata", self._name, as_json=True)
        self._check_input(metadata)
        outputs = {output["name"]: output for output in metadata["outputs"]}
        last = outputs.get(EMBEDDING, {}).get("shape", ["missing"])[-1]
        if last != str(DIMENSION):
            raise self._unexpected(f"output {EMBEDDING!r} has dimension {last}, not {DIMENSION}")
        config = self._ask("get_model_config", self._name, as_json=True)["config"]
        self._check_batch(config)
        return tuple(name for name in (EMBEDDING, VIEWPOINT) if name in outputs)

    def _check_input(self, metadata: dict[str, Any]) -> None:
        inputs = [(i["name"], i["datatype"], i["shape"]) for i in metadata["inputs"]]
        side = str(self._input_size)
        expected = (INPUT, "UINT8", ["-1", side, side, "3"])
        if inputs != [expected]:
            raise self._unexpected(f"it takes {inputs}, not [{expected}]")

    def _check_batch(self, config: dict[str, Any]) -> None:
        most = int(config.get("max_batch_size", 0))
        if most > 0:
            self._max_batch = min(self._max_batch, most)

    def _unexpected(self, what: str) -> SettingsError:
        return SettingsError(
            f"Triton at {self._url} does not serve {self._name} as expected: {what}. Deploy the "
            "exported model, or correct RESIGHT_ENCODER_MODEL"
        )
