"""The services' own handlers in one process, for work on files: no broker, no ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch

from services.embedder.main import build_encoder
from services.embedder.service import EmbedderService
from services.embedder.settings import EmbedderSettings, EncoderSettings
from services.lookup.edge import EdgeGalleries
from services.lookup.service import LookupService
from services.lookup.settings import GallerySettings, LookupSettings
from services.matcher.cache import KeypointCache, connect
from services.matcher.crops import CropKeypoints
from services.matcher.engine import engine
from services.matcher.service import MatcherService
from services.matcher.settings import CacheSettings, MatcherSettings
from shared.blobs import BlobStore
from shared.settings import load


@dataclass(frozen=True)
class Handlers:
    """What stands before the registry, in order."""

    embedder: EmbedderService
    lookup: LookupService
    matcher: MatcherService


@contextmanager
def handlers(folder: Path, cache_url: str, model: Path) -> Iterator[Handlers]:
    """Give the three handlers with an empty gallery; crops and gallery lie in `folder`.

    Everything else is as the environment sets it, so what is measured is what serves.

    Raises:
        SettingsError: a setting or the model's file is not usable.
    """
    store = BlobStore((folder / "crops").resolve().as_uri())
    encoding = load(EncoderSettings).model_copy(update={"kind": "onnx", "model_path": str(model)})
    embedder = EmbedderService(build_encoder(encoding), store, store, load(EmbedderSettings))
    gallery = load(GallerySettings).model_copy(update={"path": str(folder / "gallery")})
    galleries = EdgeGalleries(gallery)
    matching, cache = load(MatcherSettings), load(CacheSettings)
    torch.set_num_threads(matching.threads)
    cv2.setNumThreads(matching.threads)
    networks = engine(matching)
    keypoints = KeypointCache(
        connect(cache_url, cache.timeout_seconds),
        networks.extractor.model,
        networks.extractor.descriptor_length,
        local_entries=cache.local_entries,
        retry_seconds=cache.retry_seconds,
    )
    crops = CropKeypoints(store, networks.extractor, keypoints, matching.max_crop_bytes)
    try:
        yield Handlers(
            embedder,
            LookupService(galleries, load(LookupSettings), sent=lambda _: None),
            MatcherService(networks, crops, store),
        )
    finally:
        galleries.close()
