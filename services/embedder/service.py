"""Turns captures into sightings: every animal is cut out, stored and embedded."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from services.embedder import metrics
from services.embedder.captures.limits import check_count
from services.embedder.decoding.cutting import Cuts, Limits, too_thin
from services.embedder.decoding.worker_pool import DecodeWorkers
from services.embedder.encoders.encoder import Encoder
from services.embedder.encoders.preparation import Preparation
from services.embedder.extraction import Extraction
from services.embedder.settings import EmbedderSettings
from shared import embeddings
from shared.blobs import BlobStore
from shared.errors import Poison, SettingsError
from shared.foreground import stored_mask
from shared.foreground.animal import Animal, finder
from shared.foreground.segmenter import Segmenter
from shared.identifiers import gallery_name, sighting_id, whole_box
from shared.images import codec
from shared.keypoints.extractors.crop_extractor import Crop, CropExtractor
from shared.messages import (
    VIEWPOINT_UNSPECIFIED,
    Box,
    Capture,
    ImagePlace,
    ModelReference,
    Place,
    Sighting,
)
from shared.messages import Animal as Detection
from shared.records import Receipt, Result


@dataclass(frozen=True)
class Prepared:
    """A sighting without its embedding and keypoints, with its crop and the EXIF location.

    crop: the JPEG; decoded it takes 3 MB, so only a batch's crops are
    """

    sighting: Sighting
    crop: bytes
    animal: Animal | None
    place: Place | None

    def decoded(self) -> Crop:
        """Return the crop's pixels, with the animal's mask."""
        return Crop(codec.decode(self.crop), self.animal)


class EmbedderService:
    """Handler of the captures topic.

    Args:
        encoder: the model.
        crops: store of the crops; captures: store of referenced pictures.
        segmenter: finds the animal in its box; None: no masks.
        extractor: finds keypoints in crops; None: it is left to the matcher.

    Raises:
        SettingsError: the model was exported for another preparation of crops, or needs a segmenter
            and there is none.
    """

    def __init__(
        self,
        encoder: Encoder,
        crops: BlobStore,
        captures: BlobStore,
        settings: EmbedderSettings,
        *,
        max_batch: int = 32,
        segmenter: Segmenter | None = None,
        extractor: CropExtractor | None = None,
    ) -> None:
        self._preparation = replace(
            _preparation(encoder, segmenter),
            crop_pixels=settings.crop_pixels,
            crop_quality=settings.crop_quality,
        )
        self.model = ModelReference(
            name=encoder.model.name,
            version=encoder.model.version,
            preprocessing=self._preparation.fingerprint,
        )
        metrics.MODEL.labels(self.model.name, self.model.version, self.model.preprocessing).set(1)
        self._encoder = encoder
        self._crops = crops
        self._captures = captures
        self._settings = settings
        self._max_batch = max_batch
        self._segmenter = segmenter
        self._threads = ThreadPoolExecutor(settings.decode_threads, "decode")
        self._extraction = Extraction(extractor, crops, self._threads) if extractor else None
        self._workers = DecodeWorkers(
            settings.decode_threads,
            self._preparation,
            Limits(settings.max_image_bytes, settings.max_pixels, settings.truncated == "salvage"),
            settings.decode_seconds,
            settings.worker_megabytes,
        )

    def warm_up(self) -> None:
        """Start what the first capture would otherwise wait for.

        Raises:
            Transient: no worker can be started now.
        """
        self._workers.warm_up()

    def handle(self, messages: Sequence[Capture]) -> Sequence[Result]:
        """Return the sightings of each Capture: one per box, or one for the whole picture.

        If the location is known, an ImagePlace precedes them. When it returns, crops, masks and
        keypoints are stored.

        Raises:
            Transient: a blob store or the model's server does not respond.
        """
        prepared = list(self._threads.map(self._prepare, messages))
        animals = [
            animal for result in prepared if not isinstance(result, Poison) for animal in result
        ]
        for start in range(0, len(animals), self._max_batch):
            some = animals[start : start + self._max_batch]
            crops = list(self._threads.map(Prepared.decoded, some))
            self._encode(some, crops)
            if self._extraction is not None:
                digests = [each.sighting.crop.sha256 for each in some]
                self._extraction.store(digests, crops)
                for each in some:
                    each.sighting.keypoints.CopyFrom(self._extraction.model)
        return [
            result
            if isinstance(result, Poison)
            else [*_places(message, result), *(animal.sighting for animal in result)]
            for message, result in zip(messages, prepared, strict=True)
        ]

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        """Nothing to do: crops are stored before their sightings are sent."""

    def ready(self) -> bool:
        """Return whether the model and both blob stores respond."""
        return self._encoder.ready() and self._crops.ready() and self._captures.ready()

    def _prepare(self, capture: Capture) -> list[Prepared] | Poison:
        try:
            return self._cut(capture)
        except Poison as poison:
            metrics.REFUSED.labels(poison.kind).inc()
            lost = max(1, len(capture.animals))
            return Poison(poison.reason, kind=poison.kind, sightings=lost)

    def _cut(self, capture: Capture) -> list[Prepared]:
        check_count(len(capture.animals), self._settings.max_animals)
        data = self._image(capture)
        metrics.PICTURE_BYTES.observe(len(data))
        digest = hashlib.sha256(data).hexdigest()
        # A repeated box is one sighting.
        animals = {sighting_id(digest, _box(each)): each for each in reversed(_animals(capture))}
        identifiers = list(reversed(animals))
        with metrics.DECODE.time():
            cuts = self._workers.cut(data, [_box(animals[each]) for each in identifiers])
        base = _base(capture, digest, cuts)
        return [
            self._stored(_sighting(base, capture, animals[identifier], identifier), cuts, number)
            for number, identifier in enumerate(identifiers)
        ]

    def _image(self, capture: Capture) -> bytes:
        if capture.WhichOneof("image") != "reference":
            metrics.CAPTURES.labels("inline").inc()
            return capture.inline
        metrics.CAPTURES.labels("reference").inc()
        with metrics.FETCH.time():
            return self._captures.get(capture.reference, self._settings.max_image_bytes)

    def _stored(self, sighting: Sighting, cuts: Cuts, number: int) -> Prepared:
        crop = cuts.crops[number]
        key = f"crops/{sighting.sighting_id[:2]}/{sighting.sighting_id}.jpg"
        sighting.crop.CopyFrom(self._crops.put(key, crop))
        metrics.CROPS.inc()
        sighting.incomparable = too_thin(cuts.sides[number])
        animal = None
        if self._segmenter is not None:
            with metrics.SEGMENTATION.time():
                animal = Animal.find(self._segmenter, cuts.views[number])
            metrics.MASKS.labels(animal.outcome).inc()
            kept = stored_mask.keep(animal, finder(self._segmenter), self._crops)
            sighting.mask.CopyFrom(kept)
        return Prepared(sighting, crop, animal, cuts.place)

    def _encode(self, animals: Sequence[Prepared], crops: Sequence[Crop]) -> None:
        metrics.INFERENCE_CROPS.observe(len(animals))
        with metrics.INFERENCE.time():
            shown = [self._preparation.model_input(each.image, each.animal) for each in crops]
            encoding = self._encoder.encode(np.stack(shown))
        for index, animal in enumerate(animals):
            sighting = animal.sighting
            vector = encoding.embeddings[index]
            sighting.embedding.CopyFrom(embeddings.pack(vector, self.model))
            if encoding.viewpoints and sighting.viewpoint == VIEWPOINT_UNSPECIFIED:
                sighting.viewpoint = encoding.viewpoints[index]


def _preparation(encoder: Encoder, segmenter: Segmenter | None) -> Preparation:
    """Return the preparation of crops that the model was exported for."""
    whole = Preparation(encoder.input_size)
    ways = [whole, replace(whole, finder=finder(segmenter))] if segmenter else [whole]
    for way in ways:
        if encoder.model.preprocessing == way.fingerprint:
            return way
    raise SettingsError(
        f"the model {encoder.model.name} was exported for the preprocessing "
        f"{encoder.model.preprocessing}, but this embedder provides "
        f"{' or '.join(way.fingerprint for way in ways)}; export it again, or if it was trained "
        "on animals alone, set RESIGHT_SEGMENTER_KIND=u2netp"
    )


def _animals(capture: Capture) -> list[Detection]:
    return list(capture.animals) or [Detection()]


def _box(animal: Detection) -> Box:
    return animal.box if animal.HasField("box") else whole_box()


def _base(capture: Capture, image_sha256: str, cuts: Cuts) -> Sighting:
    """Return what all sightings of a capture share."""
    sighting = Sighting(
        capture_id=capture.capture_id or image_sha256,
        image_sha256=image_sha256,
        deployment=capture.deployment,
        sequence=capture.sequence,
        question=capture.question,
        alone=len(capture.animals) <= 1,
        truncated=cuts.truncated,
    )
    if capture.HasField("captured_at"):
        sighting.captured_at.CopyFrom(capture.captured_at)
    elif cuts.captured_at is not None:
        shift = capture.clock_correction.ToNanoseconds()
        sighting.captured_at.FromNanoseconds(cuts.captured_at.ToNanoseconds() + shift)
    if capture.HasField("published_at"):
        sighting.published_at.CopyFrom(capture.published_at)
    return sighting


def _sighting(base: Sighting, capture: Capture, animal: Detection, identifier: str) -> Sighting:
    sighting = Sighting()
    sighting.CopyFrom(base)
    sighting.sighting_id = identifier
    sighting.species = animal.species or capture.species
    sighting.gallery = gallery_name(capture.population, sighting.species)
    sighting.box.CopyFrom(_box(animal))
    sighting.viewpoint = animal.viewpoint or capture.viewpoint
    if animal.identity:
        sighting.identity = animal.identity
        sighting.identified_by = capture.identified_by
    return sighting


def _places(capture: Capture, animals: Sequence[Prepared]) -> list[ImagePlace]:
    """Return a capture's location, for the registry only, if known."""
    if capture.question:
        return []
    where = capture.place if capture.HasField("place") else animals[0].place
    if where is None:
        return []
    digest = animals[0].sighting.image_sha256
    return [ImagePlace(image_sha256=digest, deployment=capture.deployment, place=where)]
