"""Decodes a record of the captures topic into a valid Capture.

A record's value is a Capture message, or a bare image described by headers.
"""

import math
from hashlib import sha256

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from services.embedder.captures import headers
from services.embedder.captures.limits import (
    MAX_ANIMALS,
    MAX_TEXT,
    MOST_CORRECTED_SECONDS,
    check_count,
    check_text,
)
from shared.errors import Poison
from shared.images.file_types import sniff
from shared.kafka.clients import MESSAGE_BYTES
from shared.labels import LabelSettings
from shared.messages import VIEWPOINT_UNSPECIFIED, Animal, Box, Capture, Place, Viewpoint
from shared.records import Record

UNKNOWN_DEPLOYMENT = "unknown"
PROTOBUF_TYPES = {
    "application/protobuf",
    "application/x-protobuf",
    "application/vnd.google.protobuf",
}
UNTYPED = {"", "application/octet-stream", "binary/octet-stream"}

# Detectors round: boxes may exceed the picture by this fraction, and are clipped.
BORDER = 0.01

_TEXTS = (
    *("capture_id", "species", "population", "deployment", "sequence"),
    *("identified_by", "question"),
)


def decode_capture(
    record: Record, max_animals: int = MAX_ANIMALS, labels: LabelSettings | None = None
) -> Capture:
    """Return the checked capture of a record, with missing fields filled in.

    The header `content-type` says which of the two forms the value has; without it, the value's
    first bytes do.

    Raises:
        Poison: of kind empty-value, too-many-bytes, not-a-capture, no-image, bad-header, bad-text,
            bad-time, bad-place, too-many-animals, bad-box, box-outside-image or labels-refused.
    """
    value = record.value
    if not value:
        raise Poison(
            "the record has no value; send a Capture message or an image file", kind="empty-value"
        )
    if len(value) > MESSAGE_BYTES:
        raise Poison(
            f"the record has {len(value)} bytes, more than the limit of {MESSAGE_BYTES}; publish "
            "a smaller picture, or store it and publish a reference",
            kind="too-many-bytes",
        )
    bare = _is_bare(record, value)
    capture = headers.describe(value, record.headers, max_animals) if bare else _parse(value)
    check_count(len(capture.animals), max_animals)
    _check(capture)
    capture.deployment = capture.deployment or _key(record) or UNKNOWN_DEPLOYMENT
    _check_labels(capture, record, labels)
    if not capture.HasField("published_at"):
        _note_time(capture, record.timestamp_ms)
    return capture


def _is_bare(record: Record, value: bytes) -> bool:
    declared = next((v for k, v in record.headers.items() if k.lower() == "content-type"), b"")
    media_type = declared.decode(errors="replace").split(";")[0].strip().lower()
    if media_type.startswith("image/"):
        return True
    if media_type in PROTOBUF_TYPES:
        return False
    if media_type not in UNTYPED:
        raise Poison(
            f"the header content-type is {media_type[:120]!r}; send image/jpeg (or another image "
            "type) with a bare image, application/x-protobuf with a Capture",
            kind="bad-header",
        )
    return sniff(value) is not None


def _parse(value: bytes) -> Capture:
    try:
        capture = Capture.FromString(value)
    except DecodeError as error:
        raise Poison(
            f"the value ({len(value)} bytes, beginning {value[:8].hex(' ')}) is neither an image "
            "file nor a Capture message; check what the uploader sends",
            kind="not-a-capture",
        ) from error
    if capture.WhichOneof("image") is None:
        raise Poison(
            "the Capture message has neither an inline image nor a reference; check that the "
            "uploader sends resight.v1.Capture",
            kind="no-image",
            sightings=max(1, len(capture.animals)),
        )
    return capture


def _note_time(capture: Capture, milliseconds: int) -> None:
    """Use the record's time, unless its clock does not count in milliseconds."""
    if milliseconds < 0:
        return
    stamp = Timestamp()
    try:
        stamp.FromMilliseconds(milliseconds)
        stamp.ToDatetime()
    except (ValueError, OverflowError):
        return
    capture.published_at.CopyFrom(stamp)


def _check(capture: Capture) -> None:
    sightings = max(1, len(capture.animals))
    for name in _TEXTS:
        check_text(name, getattr(capture, name), sightings)
    for animal in capture.animals:
        check_text("species", animal.species, sightings)
        check_text("identity", animal.identity, sightings)
    if capture.HasField("captured_at"):
        _check_time("captured_at", capture.captured_at, sightings)
    if capture.HasField("published_at"):
        _check_time("published_at", capture.published_at, sightings)
    if capture.HasField("clock_correction"):
        _check_correction(capture.clock_correction, sightings)
    if capture.HasField("place"):
        _check_place(capture.place, sightings)
    capture.viewpoint = _known(capture.viewpoint)
    for animal in capture.animals:
        animal.viewpoint = _known(animal.viewpoint)
        if animal.HasField("box"):
            _check_box(animal, sightings)


def _check_labels(capture: Capture, record: Record, labels: LabelSettings | None) -> None:
    """Refuse labels that are not trusted, instead of ignoring them silently."""
    labelled = any(animal.identity for animal in capture.animals)
    value, deployment = record.value or b"", capture.deployment
    if labelled and not (labels and labels.count(deployment, value, record.headers)):
        raise Poison(
            f"the capture of deployment {deployment} has labels, and labels are accepted only "
            "when signed with RESIGHT_LABELS_SECRET, which embedder and importer must share; or "
            "name the deployment in RESIGHT_LABELS_DEPLOYMENTS. Then replay this dead letter",
            kind="labels-refused",
            sightings=len(capture.animals),
        )


def _check_time(name: str, moment: Timestamp, sightings: int) -> None:
    try:
        moment.ToDatetime()
    except (ValueError, OverflowError) as error:
        raise Poison(
            f"{name} is {moment.seconds} s {moment.nanos} ns since 1970, which is not between the "
            "years 1 and 9999; leave it out if the camera's clock was not set",
            kind="bad-time",
            sightings=sightings,
        ) from error


def _check_correction(correction: Duration, sightings: int) -> None:
    if abs(correction.seconds) > MOST_CORRECTED_SECONDS or abs(correction.nanos) >= 10**9:
        raise Poison(
            f"clock_correction is {correction.seconds} s {correction.nanos} ns, more than a "
            "century; send seconds",
            kind="bad-time",
            sightings=sightings,
        )


def _check_place(place: Place, sightings: int) -> None:
    # Coordinates of rare animals are secret: the message says what is wrong, not where.
    for name, value, limit in (
        ("latitude", place.latitude, 90),
        ("longitude", place.longitude, 180),
    ):
        if not math.isfinite(value) or abs(value) > limit:
            raise Poison(
                f"the {name} is {'beyond ±' + str(limit) if math.isfinite(value) else value}; "
                "send WGS 84 degrees, or leave the location out",
                kind="bad-place",
                sightings=sightings,
            )


def _check_box(animal: Animal, sightings: int) -> None:
    box = animal.box
    text = f"the box {box.x:g},{box.y:g},{box.width:g},{box.height:g} (x,y,width,height)"
    if not all(math.isfinite(value) for value in (box.x, box.y, box.width, box.height)):
        raise Poison(
            f"{text} is not finite; check the detector", kind="bad-box", sightings=sightings
        )
    if box.width <= 0 or box.height <= 0:
        raise Poison(
            f"{text} has no area; leave out detections without size",
            kind="bad-box",
            sightings=sightings,
        )
    if not _inside(box):
        raise Poison(
            f"{text} exceeds the picture; boxes are fractions (0 to 1) of the picture as "
            "displayed, not pixels",
            kind="box-outside-image",
            sightings=sightings,
        )


def _inside(box: Box) -> bool:
    starts = -BORDER <= box.x < 1 and -BORDER <= box.y < 1
    right, bottom = box.x + box.width, box.y + box.height
    return starts and 0 < right <= 1 + BORDER and 0 < bottom <= 1 + BORDER


def _known(viewpoint: Viewpoint) -> Viewpoint:
    """Return the viewpoint; values of later versions count as unknown."""
    return viewpoint if viewpoint in Viewpoint.values() else VIEWPOINT_UNSPECIFIED


def _key(record: Record) -> str:
    """Return the record's key as a deployment; a key that is not text is replaced by its digest."""
    key = record.key or b""
    try:
        text = key.decode()
    except UnicodeDecodeError:
        text = ""
    if key and not (0 < len(text) <= MAX_TEXT and text.isprintable()):
        return f"key-{sha256(key).hexdigest()[:12]}"
    return text
