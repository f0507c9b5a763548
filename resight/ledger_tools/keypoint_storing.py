"""Stores the keypoints of enrolled crops that have none."""

from collections.abc import Iterator
from pathlib import Path

from resight.connections import crops_at
from services.matcher.build import build_networks
from services.matcher.cache.crop_keypoints import CropKeypoints
from services.matcher.settings import MatcherSettings
from services.registry.ledger.ledger import Ledger
from shared.environment import load
from shared.errors import Poison
from shared.keypoints.stored import StoredKeypoints
from shared.messages import Candidate, Enrolment, ModelReference

# Crops read together: frequent progress.
TOGETHER = 50


def store_keypoints(
    ledger: Ledger, gallery: str, crops: CropKeypoints
) -> Iterator[tuple[int, int, list[str]]]:
    """Yield how many enrolments were processed and changed, and reasons for failures, per chunk.

    A changed enrolment now names the extractor of its keypoints, so that lookup can index them.

    Raises:
        Transient: the ledger or the store does not respond.
    """
    for chunk in ledger.between(gallery, 0, ledger.count(gallery, "enrolments")):
        enrolments = [enrolment for enrolment, _ in chunk]
        for start in range(0, len(enrolments), TOGETHER):
            some = enrolments[start : start + TOGETHER]
            found = crops.find([_shown(each) for each in some])
            reasons = [
                f"{each.sighting_id}: {answer.reason}"
                for each, answer in zip(some, found, strict=True)
                if isinstance(answer, Poison)
            ]
            named = [
                _named(each, crops.model)
                for each, answer in zip(some, found, strict=True)
                if not isinstance(answer, Poison) and each.keypoints != crops.model
            ]
            ledger.restate(gallery, named)
            yield len(some), len(named), reasons


def stored_crops(data_dir: Path) -> CropKeypoints:
    """Return the stack's crops, else the environment's; what is computed is stored.

    Raises:
        SettingsError: extractor or store are misconfigured.
    """
    settings, store = load(MatcherSettings), crops_at(data_dir)
    extractor = build_networks(settings).extractor
    stored = StoredKeypoints(store, extractor.model)
    return CropKeypoints(store, extractor, stored, settings.max_crop_bytes)


def _named(enrolment: Enrolment, extractor: ModelReference) -> Enrolment:
    named = Enrolment()
    named.CopyFrom(enrolment)
    named.keypoints.CopyFrom(extractor)
    return named


def _shown(enrolment: Enrolment) -> Candidate:
    shown = Candidate(sighting_id=enrolment.sighting_id, crop=enrolment.crop)
    if enrolment.HasField("mask"):
        shown.mask.CopyFrom(enrolment.mask)
    return shown
