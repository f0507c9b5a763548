"""The services in one process, for files: no broker, no ledger.

They are built by each service's `build.py`, as when serving.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from recognition.replay.cached_handler import CachedHandler
from recognition.replay.mask_folder import MaskFolder
from services.embedder.build import build_embedder
from services.embedder.service import EmbedderService
from services.embedder.settings import EmbedderSettings, EncoderSettings
from services.lookup.build import build_galleries, build_lookup
from services.lookup.galleries.gallery import Galleries
from services.lookup.settings import GallerySettings, LookupSettings
from services.matcher.build import build_matcher, build_matcher_without_memory, build_networks
from services.matcher.cache.crop_keypoints import CropKeypoints
from services.matcher.settings import CacheSettings, MatcherSettings
from shared.blobs import BlobStore
from shared.embeddings import model_name
from shared.environment import load
from shared.errors import Poison
from shared.keypoints.stored import StoredKeypoints
from shared.messages import CandidateList, Capture, Enrolment, Matches, Sighting
from shared.records import Handler, Receipt, Result


@dataclass(frozen=True)
class Handlers:
    """The handlers before the registry, in order, and their parts."""

    embedder: Handler[Capture]
    lookup: Handler[Sighting | Enrolment]
    matcher: Handler[CandidateList]
    keypoints: CropKeypoints
    crops: BlobStore


class SightingsOnly:
    """The embedder without the locations for the registry."""

    def __init__(self, embedder: EmbedderService) -> None:
        self._embedder = embedder

    def handle(self, messages: Sequence[Capture]) -> Sequence[Result]:
        """Return the sightings of each Capture."""
        return [
            result
            if isinstance(result, Poison)
            else [each for each in result if isinstance(each, Sighting)]
            for result in self._embedder.handle(messages)
        ]

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        """Forward it."""
        self._embedder.acknowledged(receipts)

    def ready(self) -> bool:
        """Return whether the embedder is ready."""
        return self._embedder.ready()


@contextmanager
def handlers(folder: Path, cache_url: str, model: Path) -> Iterator[Handlers]:
    """Yield the three handlers with an empty gallery; crops and gallery are in `folder`.

    Everything else comes from the environment, so the serving code and settings are measured.

    Raises:
        SettingsError: a setting or the model's file is unusable.
    """
    crops = _store(folder / "crops")
    cache = load(CacheSettings).model_copy(update={"url": cache_url})
    matcher = build_matcher(load(MatcherSettings), crops, cache)
    embedder = build_embedder(
        load(EmbedderSettings), _encoding(model), crops, captures=_store(folder / "captures")
    )
    with _galleries(folder / "gallery") as galleries:
        yield Handlers(
            SightingsOnly(embedder),
            build_lookup(galleries, load(LookupSettings), store=crops),
            matcher.service,
            matcher.crops,
            crops,
        )


@contextmanager
def cached_handlers(
    gallery: Path, kept: Path, model: Path, cutting: EmbedderSettings, matching: MatcherSettings
) -> Iterator[Handlers]:
    """Yield the three handlers with an empty gallery; their results are cached in `kept`.

    Crops, masks, embeddings, keypoints and comparisons are stored there by the models and settings
    that made them, so repeated work costs next to nothing. `cutting` and `matching` are the
    embedder's and the matcher's settings; everything else comes from the environment. The matcher
    may be called from several threads.

    Backgrounds are not learned: that needs captures in the order in which they were taken, and a
    gallery with queries has none.

    Raises:
        SettingsError: a setting or the model's file is not usable.
    """
    crops = _store(kept / "crops")
    networks = build_networks(matching)
    keypoints = StoredKeypoints(crops, networks.extractor.model)
    matcher = build_matcher_without_memory(matching, crops, keypoints, networks)
    encoding = f"{sha256(model.read_bytes()).hexdigest()} {cutting!r} keypoints stored"
    comparing = " ".join(map(model_name, (networks.extractor.model, networks.cascade().model)))
    embedder = build_embedder(
        cutting,
        _encoding(model),
        crops,
        crops,
        lambda segmenter: MaskFolder(segmenter, kept / "masks"),
    )
    with _galleries(gallery) as galleries:
        yield Handlers(
            CachedHandler(SightingsOnly(embedder), encoding, Sighting, kept / "sightings"),
            build_lookup(galleries, load(LookupSettings), store=crops),
            CachedHandler(matcher.service, comparing, Matches, kept / "matches"),
            matcher.crops,
            crops,
        )


def _store(folder: Path) -> BlobStore:
    return BlobStore(folder.resolve().as_uri())


def _encoding(model: Path) -> EncoderSettings:
    return load(EncoderSettings).model_copy(update={"kind": "onnx", "model_path": str(model)})


@contextmanager
def _galleries(folder: Path) -> Iterator[Galleries]:
    settings = load(GallerySettings).model_copy(update={"kind": "edge", "path": str(folder)})
    with closing(build_galleries(settings)) as galleries:
        yield galleries
