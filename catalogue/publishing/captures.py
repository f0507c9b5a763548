"""Photographs as captures, and the sightings they become."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from catalogue.reading.catalogue import Photograph, Skipped
from shared.environment import load
from shared.identifiers import sighting_id, whole_box
from shared.kafka import topics
from shared.kafka.clients import MEBIBYTE, broker_errors, delivery_seconds, producer
from shared.labels import LabelSettings
from shared.messages import Capture
from shared.process.tracing import traces
from shared.settings import KafkaSettings, TelemetrySettings

UNDER_WAY_BYTES = 64 * MEBIBYTE


def capture(
    photograph: Photograph, image: bytes, published_at: datetime, identified_by: str = ""
) -> Capture:
    """Return the capture of one photograph, picture included.

    Identities are not sent, unless they are `identified_by` someone.
    """
    message = Capture(
        capture_id=sha256(image).hexdigest(),
        inline=image,
        species=photograph.species,
        population=photograph.population,
        deployment=photograph.deployment,
        sequence=photograph.sequence,
        animals=photograph.animals,
        viewpoint=photograph.viewpoint,
    )
    message.published_at.FromDatetime(published_at.astimezone(UTC))
    if photograph.place is not None:
        message.place.CopyFrom(photograph.place)
    if photograph.clock:
        message.clock_correction.FromTimedelta(photograph.clock)
    if identified_by:
        message.identified_by = identified_by
        if not message.animals:
            message.animals.add()
        for animal, identity in zip(message.animals, photograph.identities, strict=True):
            animal.identity = identity
    if photograph.captured_at is not None:
        message.captured_at.FromDatetime(photograph.captured_at.astimezone(UTC))
    return message


def sightings(message: Capture) -> tuple[str, ...]:
    """Return the IDs of a capture's sightings: one per box, or one in total."""
    if message.WhichOneof("image") == "reference":
        digest = message.reference.sha256
    else:
        digest = sha256(message.inline).hexdigest()
    boxes = [animal.box if animal.HasField("box") else whole_box() for animal in message.animals]
    boxes = boxes or [whole_box()]
    return tuple(sighting_id(digest, box) for box in boxes)


@dataclass(frozen=True)
class Published:
    """A published photograph and its sightings."""

    photograph: Photograph
    sightings: tuple[str, ...]


def publish(
    kafka: KafkaSettings,
    photographs: Iterable[Photograph],
    identified_by: str = "",
    labels: LabelSettings | None = None,
) -> Iterator[Published | Skipped]:
    """Publish photographs in order; yield each when the broker has acknowledged it.

    Unreadable ones are yielded with the reason. Memory is bounded, whatever the number of pictures.
    Labels `identified_by` someone are signed as configured.

    Raises:
        Transient: the broker does not respond; photographs yielded before are published.
    """
    patience = delivery_seconds(kafka) + 1
    tracing = traces("upload", load(TelemetrySettings))
    with closing(producer(kafka, "publish")) as client, broker_errors("publishing"):
        under_way: deque[tuple[Any, int, Published]] = deque()
        for photograph in photographs:
            try:
                image = photograph.path.read_bytes()
                message = capture(photograph, image, datetime.now(UTC), identified_by)
            except OSError as error:
                yield Skipped(photograph.path, f"can't be read: {error.strerror or error}")
                continue
            except (ValueError, OverflowError) as error:
                yield Skipped(photograph.path, f"can't be published: {error}")
                continue
            where = topics.address(message)
            upload = tracing.upload(where.topic)
            value = message.SerializeToString()
            signed = labels.headers(value) if labels and identified_by else []
            headers = [*upload.headers, *signed]
            future = client.send(where.topic, value, where.key.encode(), headers)
            future.add_callback(lambda _, upload=upload: upload.end([]))
            under_way.append((future, len(image), Published(photograph, sightings(message))))
            while sum(size for _, size, _ in under_way) > UNDER_WAY_BYTES:
                yield _taken(under_way, patience)
            while under_way and under_way[0][0].is_done:
                yield _taken(under_way, patience)
        while under_way:
            yield _taken(under_way, patience)


def _taken(under_way: deque[tuple[Any, int, Published]], patience: float) -> Published:
    future, _, published = under_way.popleft()
    future.get(patience)
    return published
