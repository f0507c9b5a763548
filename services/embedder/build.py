"""Builds the embedder from its settings, for serving and offline alike."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.embedder.encoders import reference
from services.embedder.encoders.encoder import Encoder
from services.embedder.encoders.onnx_encoder import OnnxEncoder
from services.embedder.encoders.preparation import Preparation
from services.embedder.encoders.triton_encoder import TritonEncoder
from services.embedder.service import EmbedderService
from services.embedder.settings import EmbedderSettings, EncoderSettings
from shared.blobs import BlobStore
from shared.errors import SettingsError
from shared.foreground.animal import finder
from shared.foreground.choice import build_segmenter
from shared.foreground.segmenter import Segmenter
from shared.keypoints.build import build_crop_extractor
from shared.messages import ModelReference

log = logging.getLogger(__name__)


def build_embedder(
    settings: EmbedderSettings,
    encoding: EncoderSettings,
    crops: BlobStore,
    captures: BlobStore,
    cached: Callable[[Segmenter], Segmenter] = lambda segmenter: segmenter,
) -> EmbedderService:
    """Return the embedder on two stores; `cached` may wrap the segmenter.

    Raises:
        SettingsError: the configuration is invalid.
    """
    segmenter = build_segmenter(settings)
    extractor = build_crop_extractor(settings)
    if segmenter is not None:
        segmenter = cached(segmenter)
    return EmbedderService(
        build_encoder(encoding, segmenter),
        crops,
        captures,
        settings,
        max_batch=encoding.max_batch,
        segmenter=segmenter,
        extractor=extractor,
    )


def build_encoder(settings: EncoderSettings, segmenter: Segmenter | None = None) -> Encoder:
    """Return the configured encoder, for animals that the segmenter finds.

    Raises:
        SettingsError: the encoder cannot be loaded, or its embeddings differ from those of the
            machine that exported it. With Triton this is checked at the first batch.
    """
    if settings.kind == "onnx":
        encoder = OnnxEncoder(Path(settings.model_path), settings.provider, settings.threads)
        if encoder.reference:
            reference.check(encoder, encoder.reference, settings.model_path)
        else:
            log.warning(
                "%s has no reference embeddings, so they cannot be verified on this machine; "
                "export the model again",
                settings.model_path,
            )
        return encoder
    wanted = settings.triton_model
    if wanted.alone and segmenter is None:
        raise SettingsError(
            "RESIGHT_ENCODER_MODEL ends in 'animal', but there is no segmenter; set "
            "RESIGHT_SEGMENTER_KIND=u2netp"
        )
    found_by = finder(segmenter) if wanted.alone and segmenter else ""
    model = ModelReference(
        name=wanted.name,
        version=wanted.version,
        preprocessing=Preparation(wanted.input_size, finder=found_by).fingerprint,
    )
    return TritonEncoder(
        settings.triton_url,
        model,
        wanted.input_size,
        settings.max_batch,
        settings.timeout_seconds,
        tls=_tls(settings),
    )


def _tls(settings: EncoderSettings) -> dict[str, Any]:
    """Return the TLS arguments of Triton's client.

    Raises:
        SettingsError: certificates are set for an unencrypted connection.
    """
    if not settings.triton_tls:
        settings.refuse_plain("set RESIGHT_ENCODER_TRITON_TLS=true")
        return {}
    files = {
        "root_certificates": settings.ca_file,
        "certificate_chain": settings.certificate_file,
        "private_key": settings.key_file,
    }
    return {"ssl": True} | {name: str(path) for name, path in files.items() if path}
