"""The services' own handlers in one process, for work on files: no broker, no ledger."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import cv2
import torch
from google.protobuf.message import Message

from recognition.replay.cached_handler import CachedHandler
from recognition.replay.keypoint_folder import KeypointFolder
from recognition.replay.mask_folder import MaskFolder
from services.embedder.main import build_encoder
from services.embedder.service import EmbedderService
from services.embedder.settings import EmbedderSettings, EncoderSettings
from services.lookup.galleries.edge import EdgeGalleries
from services.lookup.service import LookupService
from services.lookup.settings import GallerySettings, LookupSettings
from services.matcher.cache.crop_keypoints import CropKeypoints, KeypointStore
from services.matcher.cache.keypoint_cache import KeypointCache, connect
from services.matcher.engine import Engine, build_engine
from services.matcher.service import MatcherService
from services.matcher.settings import CacheSettings, MatcherSettings
from shared.blobs import BlobStore
from shared.embeddings import model_name
from shared.environment import load
from shared.errors import Poison
from shared.foreground.choice import build_segmenter
from shared.foreground.segmenter import Segmenter
from shared.messages import Matches, Sighting
from shared.records import Handler, Receipt, Result


@dataclass(frozen=True)
class Handlers:
    """What stands before the registry, in order, and what it works with."""

    embedder: Handler
    lookup: Handler
    matcher: Handler
    keypoints: CropKeypoints
    crops: BlobStore


class SightingsOnly:
    """The embedder without what it tells the registry about places; nobody here keeps that."""

    def __init__(self, embedder: EmbedderService) -> None:
        self._embedder = embedder

    def handle(self, messages: Sequence[Message]) -> Sequence[Result]:
        """Return for each Capture its sightings."""
        return [
            result
            if isinstance(result, Poison)
            else [each for each in result if isinstance(each, Sighting)]
            for result in self._embedder.handle(messages)
        ]

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        """Pass it on."""
        self._embedder.acknowledged(receipts)

    def ready(self) -> bool:
        """Return whether the embedder is."""
        return self._embedder.ready()


@contextmanager
def handlers(folder: Path, cache_url: str, model: Path) -> Iterator[Handlers]:
    """Give the three handlers with an empty gallery; crops and gallery lie in `folder`.

    Everything else is as the environment sets it, so what is measured is what serves.

    Raises:
        SettingsError: a setting or the model's file is not usable.
    """
    cache = load(CacheSettings)
    crops = _store(folder / "crops")
    networks = _networks(load(MatcherSettings))
    keypoints = KeypointCache(
        connect(cache_url, cache.timeout_seconds),
        networks.extractor.model,
        networks.extractor.descriptor_length,
        local_entries=cache.local_entries,
        retry_seconds=cache.retry_seconds,
    )
    cutting = load(EmbedderSettings)
    embedder = _embedder(model, cutting, crops, build_segmenter(cutting))
    with _wired(folder / "gallery", crops, embedder, networks, keypoints) as through:
        yield through


@contextmanager
def cached_handlers(
    gallery: Path, kept: Path, model: Path, cutting: EmbedderSettings, matching: MatcherSettings
) -> Iterator[Handlers]:
    """Give the three handlers with an empty gallery; what they find out stays in `kept`.

    Crops, masks, embeddings, keypoints and comparisons lie there under the models and
    settings that made them, so the same work once more costs next to nothing. `cutting` and
    `matching` are the embedder's and the matcher's settings, anything else is as the
    environment sets it. The matcher may be asked from several threads.

    Backgrounds are not learnt: that takes captures in the order in which they came.

    Raises:
        SettingsError: a setting or the model's file is not usable.
    """
    networks = _networks(matching)
    keypoints = KeypointFolder(kept / "keypoints", networks.extractor.model)
    encoding = f"{sha256(model.read_bytes()).hexdigest()} {cutting!r}"
    comparing = " ".join(map(model_name, (networks.extractor.model, networks.cascade().model)))
    crops = _store(kept / "crops")
    segmenter = build_segmenter(cutting)
    masks = None if segmenter is None else MaskFolder(segmenter, kept / "masks")
    embedder = _embedder(model, cutting, crops, masks)
    with _wired(gallery, crops, embedder, networks, keypoints) as through:
        yield replace(
            through,
            embedder=CachedHandler(through.embedder, encoding, Sighting, kept / "sightings"),
            matcher=CachedHandler(through.matcher, comparing, Matches, kept / "matches"),
        )


def _store(folder: Path) -> BlobStore:
    return BlobStore(folder.resolve().as_uri())


def _networks(matching: MatcherSettings) -> Engine:
    torch.set_num_threads(matching.threads)
    cv2.setNumThreads(matching.threads)
    return build_engine(matching)


def _embedder(
    model: Path, cutting: EmbedderSettings, store: BlobStore, segmenter: Segmenter | None
) -> SightingsOnly:
    encoding = load(EncoderSettings).model_copy(update={"kind": "onnx", "model_path": str(model)})
    return SightingsOnly(
        EmbedderService(
            build_encoder(encoding, segmenter), store, store, cutting, segmenter=segmenter
        )
    )


@contextmanager
def _wired(
    gallery: Path,
    store: BlobStore,
    embedder: SightingsOnly,
    networks: Engine,
    keypoints: KeypointStore,
) -> Iterator[Handlers]:
    found = CropKeypoints(
        store, networks.extractor, keypoints, load(MatcherSettings).max_crop_bytes
    )
    galleries = EdgeGalleries(load(GallerySettings).model_copy(update={"path": str(gallery)}))
    try:
        yield Handlers(
            embedder,
            LookupService(galleries, load(LookupSettings), sent=lambda _: None),
            MatcherService(networks, found, store),
            found,
            store,
        )
    finally:
        galleries.close()
