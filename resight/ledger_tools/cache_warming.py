"""Fills the keypoint cache in advance."""

from collections.abc import Iterator
from pathlib import Path

import redis

from resight.connections import crops_at
from resight.console import CommandError
from resight.stack_state import running
from services.matcher.build import build_matcher
from services.matcher.cache.crop_keypoints import CropKeypoints
from services.matcher.cache.keypoint_cache import connect
from services.matcher.settings import CacheSettings, MatcherSettings
from services.registry.ledger.ledger import Ledger
from shared.environment import load
from shared.errors import Poison
from shared.messages import Candidate, Enrolment
from shared.redis_settings import redis_options

# Crops per request: one round trip to the cache, and frequent progress.
TOGETHER = 50


def warm_cache(
    ledger: Ledger, gallery: str, crops: CropKeypoints
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of enrolments processed, and reasons for missing keypoints, per chunk.

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
            yield len(some), reasons


def cached_crops(data_dir: Path) -> CropKeypoints:
    """Return crops with the stack's keypoint cache, else the environment's.

    Raises:
        CommandError: the cache does not respond.
        SettingsError: the matcher or the cache is misconfigured.
    """
    stack = running(data_dir)
    settings, kept = load(MatcherSettings), load(CacheSettings)
    # A cache in this process's memory would be useless.
    where = {"local_entries": 0} | ({"url": stack.cache_url} if stack else {})
    kept = kept.model_copy(update=where)
    with connect(kept.url, kept.timeout_seconds, redis_options(kept, kept.url)) as client:
        try:
            client.ping()
        except redis.RedisError as error:
            raise CommandError(
                f"the keypoint cache does not respond: {error}; see RESIGHT_CACHE_URL"
            ) from error
    return build_matcher(settings, crops_at(data_dir), kept).crops


def _shown(enrolment: Enrolment) -> Candidate:
    shown = Candidate(sighting_id=enrolment.sighting_id, crop=enrolment.crop)
    if enrolment.HasField("mask"):
        shown.mask.CopyFrom(enrolment.mask)
    return shown
