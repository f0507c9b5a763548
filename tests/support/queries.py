"""Queries with evidence as the matcher sends them, for tests of the registry."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from services.registry.calibration import calibration
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.store import LIBRARY, Store
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.embeddings import DIMENSION, pack
from shared.messages import (
    DEPTH_LIGHTGLUE,
    VIEWPOINT_UNSPECIFIED,
    BlobReference,
    Candidate,
    CandidateList,
    Evidence,
    Matches,
    ModelReference,
    Sighting,
    Viewpoint,
)

GALLERY = "default/plains-zebra"
MODEL = ModelReference(name="encoder", version="1", preprocessing="abc")
CURVES = calibration.load(Path(__file__).with_name("calibration.json"))
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def sighting(
    name: str,
    *,
    gallery: str = GALLERY,
    image: str = "",
    viewpoint: Viewpoint = VIEWPOINT_UNSPECIFIED,
    model: ModelReference = MODEL,
) -> Sighting:
    """A sighting with a random embedding that its name decides; alone in its image."""
    noise = np.random.default_rng(list(name.encode())).normal(size=DIMENSION)
    vector = (noise / np.linalg.norm(noise)).astype(np.float32)
    query = Sighting(
        sighting_id=name,
        capture_id=f"capture of {name}",
        image_sha256=image or f"image of {name}",
        gallery=gallery,
        species=gallery.rpartition("/")[2],
        deployment="waterhole",
        viewpoint=viewpoint,
        crop=BlobReference(key=f"crops/{name}.jpg", sha256="0" * 64, size=1),
        embedding=pack(vector, model),
    )
    query.published_at.FromDatetime(NOON)
    return query


def evidence(candidate: str, *, same: bool, number: int = 0) -> Evidence:
    """What the matcher finds: plenty of inliers for the same animal, none for another."""
    return Evidence(
        candidate=Candidate(sighting_id=candidate, enrolment_number=number, cosine=0.8),
        depth=DEPTH_LIGHTGLUE,
        neighbours=40,
        neighbour_score=4,
        matches=60,
        confidence=30,
        inliers=50 if same else 0,
    )


def unsure(candidate: str) -> Evidence:
    """Evidence that neither proves nor excludes: probability about one half."""
    return Evidence(candidate=Candidate(sighting_id=candidate), inliers=6, depth=DEPTH_LIGHTGLUE)


def matches(
    query: Sighting,
    found: Sequence[Evidence] = (),
    *,
    watermark: int = 0,
    number: int = 1,
    epoch: str = "",
) -> Matches:
    """A query with its evidence after pass `number`."""
    return Matches(
        query=query, evidence=found, watermark=watermark, epoch=epoch, pass_number=number
    )


def matched(candidates: CandidateList, same: Collection[str] = ()) -> Matches:
    """What the matcher makes of a candidate list: `same` are sightings of the query's animal."""
    found = [
        evidence(item.sighting_id, same=item.sighting_id in same) for item in candidates.candidates
    ]
    return matches(
        candidates.query,
        [*candidates.earlier, *found],
        watermark=candidates.watermark,
        epoch=candidates.epoch,
        number=candidates.pass_number,
    )


def ledger_at(url: str, source: str | None = None) -> Ledger:
    """A ledger as one replica has it, with its functions loaded."""
    ledger = Ledger(Store(url, 5.0, source))
    ledger.load()
    return ledger


def registry(
    ledger: Ledger,
    settings: RegistrySettings | None = None,
    now: Callable[[], datetime] = lambda: NOON,
) -> RegistryService:
    """One replica of the registry, with a clock that stands still."""
    return RegistryService(ledger, CURVES, settings or RegistrySettings(), now=now)


def unwatched_library() -> str:
    """The ledger's functions without the check of the watermark."""
    head, _, rest = LIBRARY.read_text().partition("-- watermark check begins")
    check, _, tail = rest.partition("-- watermark check ends")
    assert "STALE" in check
    return head + tail
