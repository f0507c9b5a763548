"""Settings that only the embedder has."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.embedder.captures.limits import MAX_ANIMALS
from shared.foreground.settings import SegmenterSettings
from shared.images import codec
from shared.settings import TlsSettings


class EmbedderSettings(SegmenterSettings):
    """What captures may look like, and how their animals are cut out."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_EMBEDDER_")

    max_image_bytes: int = Field(
        codec.MAX_BYTES, ge=1, description="Largest picture that is read, in bytes."
    )
    max_pixels: int = Field(
        codec.MAX_PIXELS, ge=1, description="Largest picture that is decoded, width × height."
    )
    max_animals: int = Field(
        MAX_ANIMALS, ge=1, description="Most animals that one capture may hold."
    )
    crop_pixels: int = Field(
        1024, ge=64, le=8192, description="Longest side of a stored crop. Changes the embeddings."
    )
    crop_quality: int = Field(
        90, ge=30, le=100, description="JPEG quality of a stored crop. Changes the embeddings."
    )
    decode_threads: int = Field(
        2,
        ge=1,
        description="Captures that are decoded at the same time, each in a process of its own.",
    )
    decode_seconds: float = Field(
        10.0, gt=0, description="Time of a core that one picture may take to decode and cut."
    )
    decode_megabytes: int = Field(
        1024,
        ge=512,
        description="Memory of one such process. Pictures of RESIGHT_EMBEDDER_MAX_PIXELS "
        "need 7 bytes a pixel beside the 150 MB of the process itself.",
    )
    truncated: Literal["refuse", "salvage"] = Field(
        "refuse",
        description="salvage: a picture that lacks no more than the last tenth of its rows is "
        "taken, and its sightings say so.",
    )


class EncoderSettings(TlsSettings):
    """The model that turns crops into embeddings, and where it runs."""

    model_config = SettingsConfigDict(
        env_prefix="RESIGHT_ENCODER_", protected_namespaces=("settings_",)
    )

    kind: Literal["onnx", "triton"] = Field(
        "onnx", description="onnx: ONNX Runtime in this process; triton: a Triton server."
    )
    model_path: str = Field(
        "/var/lib/resight/models/encoder.onnx",
        description="The model file, made by `resight export`; for onnx.",
    )
    provider: str = Field(
        "CPUExecutionProvider",
        description="ONNX Runtime's execution provider; the process does not start without it.",
    )
    threads: int = Field(
        0, ge=0, description="Threads of ONNX Runtime; 0: one for each core. For onnx."
    )
    triton_url: str = Field(
        "127.0.0.1:8001",
        description="Triton's gRPC address; dns:///name:port balances over all its addresses.",
    )
    triton_tls: bool = Field(
        default=False, description="Whether the connection to Triton is encrypted."
    )
    model_name: str = Field(
        "efficientnet_lite0", description="The network that Triton must serve, by its name."
    )
    model_version: str = Field(
        "", description="The weights' version that Triton must serve, as `resight export` says."
    )
    input_size: int = Field(
        224, ge=32, le=2048, description="The side of the pictures that Triton's model takes."
    )
    model_sees: Literal["crop", "animal"] = Field(
        "crop",
        description="What Triton's model is shown, as its card says: all of a crop, or the animal "
        "alone, as RESIGHT_EMBEDDER_SEGMENTER finds it.",
    )
    max_batch: int = Field(32, ge=1, description="Crops that are encoded together at most.")
    timeout_seconds: float = Field(
        30.0, gt=0, description="How long Triton may take for one request."
    )
