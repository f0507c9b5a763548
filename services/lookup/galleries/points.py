"""Layout of enrolments and watermarks in Qdrant; the same in both engines.

A point holds what a candidate needs and the enrolment number, but never the individual: identities
are in the ledger only. The watermark of a gallery is a point without the key GALLERY, so no search
returns it.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from services.lookup.galleries.mark import Mark
from shared.embeddings import DIMENSION
from shared.messages import BlobReference, Candidate, Enrolment, Mask

GALLERY = "gallery"
NUMBER = "number"
VIEWPOINT = "viewpoint"
WATERMARK = "watermark"
EPOCH = "epoch"
MASK = "mask"

# Qdrant requires a vector for every point, and cosine a non-zero one.
NO_VECTOR = [1.0] + [0.0] * (DIMENSION - 1)

# Parameters of HNSW: edges per node, and search width during construction.
GRAPH_DEGREE = 16
EF_CONSTRUCT = 128

_NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "urn:resight:gallery")


def point_id(gallery: str, sighting_id: str) -> str:
    """Return the point ID of a sighting; the same sighting may be in two galleries."""
    return str(uuid.uuid5(_NAMES, f"sighting\n{gallery}\n{sighting_id}"))


def watermark_id(gallery: str) -> str:
    """Return the point ID of a gallery's watermark."""
    return str(uuid.uuid5(_NAMES, f"watermark\n{gallery}"))


def mark_payload(gallery: str, mark: Mark) -> dict[str, Any]:
    """Return the payload of a gallery's watermark."""
    return {WATERMARK: mark.watermark, EPOCH: mark.epoch, "of": gallery}


def read_mark(found: Mapping[str, Any]) -> Mark:
    """Return the mark in a payload; earlier versions stored no epoch."""
    return Mark(str(found.get(EPOCH, "")), int(found[WATERMARK]))


def payload(enrolment: Enrolment) -> dict[str, Any]:
    """Return the payload of an enrolment."""
    return {
        GALLERY: enrolment.gallery,
        NUMBER: enrolment.number,
        VIEWPOINT: int(enrolment.viewpoint),
        "sighting_id": enrolment.sighting_id,
        "crop_key": enrolment.crop.key,
        "crop_sha256": enrolment.crop.sha256,
        "crop_size": enrolment.crop.size,
        **({MASK: _told(enrolment.mask)} if enrolment.HasField("mask") else {}),
    }


def candidate(found: Mapping[str, Any], cosine: float) -> Candidate:
    """Return the candidate of a point; rounding may not exceed cosine 1."""
    return Candidate(
        sighting_id=found["sighting_id"],
        enrolment_number=found[NUMBER],
        viewpoint=found[VIEWPOINT],
        crop=BlobReference(
            key=found["crop_key"], sha256=found["crop_sha256"], size=found["crop_size"]
        ),
        mask=_mask(found[MASK]) if found.get(MASK) else None,
        cosine=max(-1.0, min(1.0, cosine)),
    )


def _told(mask: Mask) -> dict[str, Any]:
    image = mask.image
    return {
        "finder": mask.finder,
        "unused": mask.unused,
        **(
            {"key": image.key, "sha256": image.sha256, "size": image.size}
            if mask.HasField("image")
            else {}
        ),
    }


def _mask(told: Mapping[str, Any]) -> Mask:
    image = (
        BlobReference(key=told["key"], sha256=told["sha256"], size=told["size"])
        if "key" in told
        else None
    )
    return Mask(image=image, unused=told["unused"], finder=told["finder"])


def full_scan_kilobytes(exact_below: int) -> int:
    """Return Qdrant's threshold in kB for exact search of this many vectors.

    It applies per query after filtering, so smaller galleries are searched exactly, whatever the
    size of others, and get no graph. Below 10 kB Qdrant refuses the setting.
    """
    return max(10, exact_below * DIMENSION * 4 // 1024)
