"""Settings of the embedder."""

import re
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from services.embedder.captures.limits import MAX_ANIMALS
from shared.environment import constant
from shared.errors import SettingsError
from shared.images import codec
from shared.keypoints.settings import ExtractorSettings
from shared.settings import TlsSettings

MODEL_ID = re.compile(r"(?P<name>[^@\s]+)@(?P<version>[^:\s]+):(?P<size>\d+):(?P<view>crop|animal)")


@dataclass(frozen=True)
class TritonModel:
    """The model that Triton serves. `alone`: it sees the animal without its surroundings."""

    name: str
    version: str
    input_size: int
    alone: bool


class EmbedderSettings(ExtractorSettings):
    """Captures, crops and keypoints."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_EMBEDDER_")

    max_pixels: int = Field(
        codec.MAX_PIXELS,
        ge=1,
        description="Largest picture that is decoded, in pixels (width × height). Decoding takes "
        "7 bytes a pixel in each worker.",
    )
    decode_threads: int = Field(
        2, ge=1, description="Captures decoded at the same time, each in its own process."
    )
    truncated: Literal["refuse", "salvage"] = Field(
        "refuse",
        description="Truncated pictures. salvage: accepted if at most the last tenth of the rows "
        "is missing; their sightings are marked.",
    )
    max_image_bytes: int = constant(
        codec.MAX_BYTES, "The largest record that the captures topic accepts.", ge=1
    )
    max_animals: int = constant(MAX_ANIMALS, "A herd in one picture; more is an error.", ge=1)
    crop_pixels: int = constant(
        1024, "Longest side of a stored crop; another value changes the embeddings.", ge=64, le=8192
    )
    crop_quality: int = constant(
        90, "JPEG quality of a stored crop; another value changes the embeddings.", ge=30, le=100
    )
    decode_seconds: float = constant(
        10.0, "CPU time to decode and crop one picture; ends pictures made to be slow.", gt=0
    )

    decode_megabytes: int = constant(0, "0: what pictures of RESIGHT_EMBEDDER_MAX_PIXELS need.")

    @property
    def worker_megabytes(self) -> int:
        """Memory limit of a decode worker: 7 bytes a pixel beside the process itself."""
        return self.decode_megabytes or max(512, 340 + 7 * self.max_pixels // 1_000_000)


class EncoderSettings(TlsSettings):
    """Embedding model."""

    model_config = SettingsConfigDict(
        env_prefix="RESIGHT_ENCODER_", protected_namespaces=("settings_",)
    )

    kind: Literal["onnx", "triton"] = Field(
        "onnx", description="onnx: ONNX Runtime in this process. triton: a Triton server."
    )
    model_path: str = Field(
        "/var/lib/resight/models/encoder.onnx",
        description="Model file from `resight export` (onnx).",
    )
    provider: str = Field(
        "CPUExecutionProvider",
        description="ONNX Runtime execution provider. The process does not start without it.",
    )
    threads: int = Field(
        0, ge=0, description="Threads of ONNX Runtime. 0: one for each core (onnx)."
    )
    triton_url: str = Field(
        "127.0.0.1:8001",
        description="Triton's gRPC address, host:port. dns:///name:port balances over all its "
        "addresses (triton).",
    )
    triton_tls: bool = Field(default=False, description="Connect to Triton over TLS (triton).")
    model: str = Field(
        "",
        description="ID of the model that Triton must serve, as `resight export` prints it: "
        "name@version:input size:crop or animal (triton).",
    )
    max_batch: int = constant(32, "Crops encoded together; larger batches gain nothing.", ge=1)
    timeout_seconds: float = constant(30.0, "For one request to Triton.", gt=0)
    model_name: str = constant("efficientnet_lite0", "Part of RESIGHT_ENCODER_MODEL.")
    model_version: str = constant("", "Part of RESIGHT_ENCODER_MODEL.")
    input_size: int = constant(224, "Part of RESIGHT_ENCODER_MODEL.", ge=32, le=2048)
    model_sees: Literal["crop", "animal"] = constant("crop", "Part of RESIGHT_ENCODER_MODEL.")

    @property
    def triton_model(self) -> TritonModel:
        """What Triton must serve.

        Raises:
            SettingsError: it is not set.
        """
        if found := MODEL_ID.fullmatch(self.model):
            return TritonModel(
                found["name"], found["version"], int(found["size"]), alone=found["view"] == "animal"
            )
        if not self.model_version:
            raise SettingsError(
                "RESIGHT_ENCODER_MODEL is empty; with Triton, set the model ID that `resight "
                "export` printed, so that vectors of another model never enter the gallery"
            )
        return TritonModel(
            self.model_name, self.model_version, self.input_size, alone=self.model_sees == "animal"
        )

    @field_validator("model")
    @classmethod
    def _is_an_id(cls, text: str) -> str:
        if text and not MODEL_ID.fullmatch(text):
            raise ValueError(
                "not a model ID such as efficientnet_lite0@6b3ea8ff6679:224:crop; "
                "`resight export` prints it"
            )
        return text
