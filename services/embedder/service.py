"""Captures in, sightings out: every animal cut out, stored and embedded."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from google.protobuf.message import Message

from services.embedder import exif
from services.embedder.encoder import Encoder
from services.embedder.preparation import Preparation
from services.embedder.settings import EmbedderSettings
from shared import embeddings, images
from shared.blobs import BlobStore
from shared.errors import Poison, SettingsError
from shared.identifiers import WHOLE_PICTURE, gallery_name, sighting_id
from shared.images import Pixels
from shared.messages import (
    VIEWPOINT_UNSPECIFIED,
    Animal,
    Box,
    Capture,
    ModelReference,
    Sighting,
)
from shared.records import Receipt, Result


@dataclass(frozen=True)
class Prepared:
    """A sighting that lacks only its embedding, and what the model is to see."""

    sighting: Sighting
    model_input: Pixels


class EmbedderService:
    """Handler of the captures topic.

    Args:
        encoder: the model.
        crops: where crops are written; captures: where references are read.

    Raises:
        SettingsError: the model was exported for another preparation of crops.
    """

    def __init__(
        self,
        encoder: Encoder,
        crops: BlobStore,
        captures: BlobStore,
        settings: EmbedderSettings,
        max_batch: int = 32,
    ) -> None:
        recipe = Preparation(encoder.input_size).fingerprint
        if encoder.model.preprocessing != recipe:
            raise SettingsError(
                f"the model {encoder.model.name} was exported for the preprocessing "
                f"{encoder.model.preprocessing}, but this embedder does {recipe}; export it again"
            )
        self._preparation = Preparation(
            encoder.input_size, settings.crop_pixels, settings.crop_quality
        )
        self._model = ModelReference(
            name=encoder.model.name,
            version=encoder.model.version,
            preprocessing=self._preparation.fingerprint,
        )
        self._encoder = encoder
        self._crops = crops
        self._captures = captures
        self._settings = settings
        self._max_batch = max_batch
        self._threads = ThreadPoolExecutor(settings.decode_threads, "decode")

    def handle(self, messages: Sequence[Message]) -> Sequence[Result]:
        """Return for each Capture its sightings, one for each box or one for the whole picture.

        When it returns, the crops are stored.

        Raises:
            Transient: a blob store or the model's server does not answer.
        """
        prepared = list(self._threads.map(self._prepare, messages))
        animals = [
            animal for result in prepared if not isinstance(result, Poison) for animal in result
        ]
        for start in range(0, len(animals), self._max_batch):
            self._encode(animals[start : start + self._max_batch])
        return [
            result if isinstance(result, Poison) else [animal.sighting for animal in result]
            for result in prepared
        ]

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        """Do nothing: crops are stored before their sightings are sent."""

    def ready(self) -> bool:
        """Return whether the model and both blob stores answer."""
        return self._encoder.ready() and self._crops.ready() and self._captures.ready()

    def _prepare(self, message: Message) -> list[Prepared] | Poison:
        if not isinstance(message, Capture):
            raise TypeError(f"the embedder handles Capture, not {type(message).__name__}")
        animals = list(message.animals) or [Animal()]
        try:
            return self._cut(message, animals)
        except Poison as poison:
            return Poison(poison.reason, kind=poison.kind, sightings=len(animals))

    def _cut(self, capture: Capture, animals: list[Animal]) -> list[Prepared]:
        if len(animals) > self._settings.max_animals:
            raise Poison(
                f"the capture holds {len(animals)} animals, more than the "
                f"{self._settings.max_animals} allowed; leave out detections of low confidence, "
                "or raise RESIGHT_EMBEDDER_MAX_ANIMALS",
                kind="too-many-animals",
            )
        data = self._image(capture)
        picture = images.open_picture(
            data,
            max_bytes=self._settings.max_image_bytes,
            max_pixels=self._settings.max_pixels,
        )
        boxes = [_box(animal) for animal in animals]
        side = self._preparation.side_to_decode(picture.width, picture.height, boxes)
        pixels = picture.pixels(side)
        base = _base(capture, hashlib.sha256(data).hexdigest(), picture.exif)
        cuts: dict[str, Prepared] = {}  # the same box twice is one sighting
        for animal, box in zip(animals, boxes, strict=True):
            sighting = Sighting()
            sighting.CopyFrom(base)
            sighting.box.CopyFrom(box)
            sighting.sighting_id = sighting_id(base.image_sha256, box)
            sighting.viewpoint = animal.viewpoint or capture.viewpoint
            if sighting.sighting_id not in cuts:
                cuts[sighting.sighting_id] = self._store(
                    sighting, self._preparation.crop(pixels, box)
                )
        return list(cuts.values())

    def _image(self, capture: Capture) -> bytes:
        if capture.WhichOneof("image") == "reference":
            return self._captures.get(capture.reference, self._settings.max_image_bytes)
        return capture.inline

    def _store(self, sighting: Sighting, crop: bytes) -> Prepared:
        key = f"crops/{sighting.sighting_id[:2]}/{sighting.sighting_id}.jpg"
        sighting.crop.CopyFrom(self._crops.put(key, crop))
        return Prepared(sighting, self._preparation.model_input(crop))

    def _encode(self, animals: Sequence[Prepared]) -> None:
        encoding = self._encoder.encode(np.stack([animal.model_input for animal in animals]))
        for index, animal in enumerate(animals):
            sighting = animal.sighting
            vector = encoding.embeddings[index]
            sighting.embedding.CopyFrom(embeddings.pack(vector, self._model))
            if encoding.viewpoints and sighting.viewpoint == VIEWPOINT_UNSPECIFIED:
                sighting.viewpoint = encoding.viewpoints[index]


def _box(animal: Animal) -> Box:
    if animal.HasField("box"):
        return animal.box
    x, y, width, height = WHOLE_PICTURE
    return Box(x=x, y=y, width=width, height=height)


def _base(capture: Capture, image_sha256: str, tags: images.Exif) -> Sighting:
    """Return what all sightings of a capture have in common."""
    sighting = Sighting(
        capture_id=capture.capture_id or image_sha256,
        image_sha256=image_sha256,
        gallery=gallery_name(capture.population, capture.species),
        species=capture.species,
        deployment=capture.deployment,
        sequence=capture.sequence,
    )
    taken = capture.captured_at if capture.HasField("captured_at") else exif.captured_at(tags)
    where = capture.place if capture.HasField("place") else exif.place(tags)
    if taken is not None:
        sighting.captured_at.CopyFrom(taken)
    if where is not None:
        sighting.place.CopyFrom(where)
    if capture.HasField("published_at"):
        sighting.published_at.CopyFrom(capture.published_at)
    return sighting
