"""Runs each policy on a real gallery by the services' own code, and measures its cost."""

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.matcher.published import PublishedLightGlue
from embedded.temporary import keypoint_cache
from recognition import splits
from recognition.bootstrap import bootstrap_difference
from recognition.data.labelled_folder import labelled_animals, labelled_capture
from recognition.evaluation.closed_set import rank_of_first
from recognition.evaluation.gallery_session import (
    EmbeddedSighting,
    GallerySession,
    QueryResult,
    embed,
)
from recognition.evaluation.pipelines import LOCAL
from recognition.replay.in_process import Handlers
from resight.console import note
from services.matcher.cache.crop_keypoints import CropKeypoints
from services.matcher.cache.keypoint_cache import KeypointCache, connect
from services.matcher.cascade.policy import PolicyName
from services.matcher.engine import build_engine
from services.matcher.pair_matchers.lightglue import VARIANTS
from services.matcher.service import MatcherService
from services.matcher.settings import MatcherSettings
from shared.keypoints.keypoints import Keypoints, encode
from shared.messages import DEPTH_LIGHTGLUE, CandidateList, Matches
from shared.records import Receipt, Result

SEED = 666  # of the published splits
DEFAULT: PolicyName = "doubt"
CACHE_READS = 200
CANDIDATES = 100


@dataclass
class Known:
    """Keypoints in memory, so that only the comparison is timed."""

    found: dict[str, Keypoints] = field(default_factory=dict)

    def get(self, digests: Sequence[str]) -> dict[str, Keypoints]:
        """Return the stored keypoints of these crops."""
        return {digest: self.found[digest] for digest in digests if digest in self.found}

    def put(self, digest: str, keypoints: Keypoints) -> None:
        """Store a crop's keypoints."""
        self.found[digest] = keypoints


class Timed:
    """A matcher whose calls are timed."""

    def __init__(self, matcher: MatcherService) -> None:
        self._matcher = matcher
        self.seconds: list[float] = []

    def handle(self, messages: Sequence[CandidateList]) -> list[Result]:
        """Forward messages."""
        begun = time.perf_counter()
        answers = self._matcher.handle(messages)
        self.seconds.append(time.perf_counter() - begun)
        return answers

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        """Forward it."""
        self._matcher.acknowledged(receipts)

    def ready(self) -> bool:
        """Return whether the matcher is ready."""
        return self._matcher.ready()


@dataclass(frozen=True)
class Tried:
    """One engine and policy: seconds per query, and whether each ranked the right one first."""

    seconds: list[float]
    right: NDArray[np.bool_]
    asked: list[QueryResult]
    deep: float  # mean number of candidates compared by LightGlue
    memory: float  # MiB used to load and run


def tried(
    settings: MatcherSettings,
    through: Handlers,
    known: Known,
    subjects: Sequence[EmbeddedSighting],
    queries: Sequence[EmbeddedSighting],
) -> Tried:
    """Run the queries on the gallery with the configured matcher."""
    before = _memory()
    networks = build_engine(settings)
    crops = CropKeypoints(through.crops, networks.extractor, known, settings.max_crop_bytes)
    matcher = Timed(MatcherService(networks, crops, through.crops))
    gallery = GallerySession(subjects, through.lookup, matcher, 1)
    networks.warm_up()
    asked = list(gallery.ask(queries))
    right = [
        rank_of_first(LOCAL.individuals(each.labelled), each.subject.identity) == 1
        for each in asked
    ]
    deep = [sum(item.depth == DEPTH_LIGHTGLUE for item in each.matches.evidence) for each in asked]
    return Tried(
        matcher.seconds, np.array(right, np.bool_), asked, float(np.mean(deep)), _memory() - before
    )


def published_seconds(asked: Sequence[QueryResult], known: Known, extractor: str) -> list[float]:
    """Return the seconds that published LightGlue takes for each query's candidates."""
    loop = PublishedLightGlue(VARIANTS[extractor], adaptive=True)
    seconds = []
    for each in asked:
        query = known.found[each.matches.query.crop.sha256]
        candidates = [known.found[item.candidate.crop.sha256] for item in each.matches.evidence]
        some = [candidate for candidate in candidates if len(candidate)]
        begun = time.perf_counter()
        loop.match(query, some)
        seconds.append(time.perf_counter() - begun)
    return seconds


def cache_seconds(keypoints: Sequence[Keypoints], settings: MatcherSettings) -> list[float]:
    """Return the seconds to read 100 candidates from a real server, without local cache."""
    model = build_engine(settings.model_copy(update={"policy": "neighbours"})).extractor.model
    length = keypoints[0].descriptors.shape[1]
    names = [f"{number:064x}" for number in range(CANDIDATES)]
    with keypoint_cache() as url:
        cache = KeypointCache(connect(url, 1.0), model, length, local_entries=0, retry_seconds=5)
        for number, name in enumerate(names):
            cache.put(name, keypoints[number % len(keypoints)])
        return _several(lambda: cache.get(names), CACHE_READS)


def query_seconds(
    asked: Sequence[QueryResult],
    through: Handlers,
    known: Known,
    settings: MatcherSettings,
    *,
    cached: bool,
) -> list[float]:
    """Return the seconds of a new query whose 100 candidates are cached on a server, or stored."""
    networks = build_engine(settings)
    networks.warm_up()
    seconds = []
    with keypoint_cache() as url:
        client = connect(url, 1.0)
        model, length = networks.extractor.model, networks.extractor.descriptor_length
        cache = KeypointCache(client, model, length, local_entries=0, retry_seconds=5)
        for each in asked:
            digests = [item.candidate.crop.sha256 for item in each.matches.evidence]
            client.flushdb()
            for digest in digests if cached else ():
                cache.put(digest, known.found[digest])
            crops = CropKeypoints(through.crops, networks.extractor, cache, settings.max_crop_bytes)
            matcher = MatcherService(networks, crops, through.crops)
            candidates = _list(each.matches)
            begun = time.perf_counter()
            matcher.handle([candidates])
            seconds.append(time.perf_counter() - begun)
    return seconds


def measured(
    task: argparse.Namespace, settings: MatcherSettings, through: Handlers
) -> dict[str, Any]:
    """Return all numbers of one data set."""
    animals = labelled_animals(task.data, None)
    split = splits.split("closed", animals, SEED)
    note(f"embedding {task.data.name}")
    subjects, asking = (
        list(embed((labelled_capture(animals[i]) for i in chosen), through.embedder, whole=False))
        for chosen in (split.gallery, split.queries)
    )
    there = {(each.identity, each.sighting.viewpoint) for each in subjects}
    queries = [each for each in asking if (each.identity, each.sighting.viewpoint) in there]
    queries = queries[: task.queries]
    note("finding keypoints")
    for _ in GallerySession(subjects, through.lookup, through.matcher, 1).prepare(queries):
        pass
    known = Known()
    crops = through.keypoints
    for each in (*subjects, *queries):
        [keypoints] = crops.find([each.sighting])
        if isinstance(keypoints, Keypoints):
            known.put(each.sighting.crop.sha256, keypoints)
    ways = {
        f"{name}, {precision}": settings.model_copy(update={"policy": name, "precision": precision})
        for name, precision in (
            (DEFAULT, "int8"),
            (DEFAULT, "full"),
            ("wide", "int8"),
            ("deep", "int8"),
            ("neighbours", "int8"),
            ("full", "int8"),
        )
    }
    runs = {}
    for name, way in ways.items():
        note(f"{name}: {len(queries)} queries")
        runs[name] = tried(way, through, known, subjects, queries)
    first, full = runs[f"{DEFAULT}, int8"], runs["full, int8"]
    few = first.asked[: task.published]
    note(f"as published: {len(few)} queries")
    published = published_seconds(few, known, settings.extractor)
    difference = bootstrap_difference(first.right, full.right, SEED)
    note("reading the cache")
    some = [known.found[item.candidate.crop.sha256] for item in first.asked[0].matches.evidence]
    reads = cache_seconds(some, settings)
    cached, stored = (
        query_seconds(first.asked, through, known, settings, cached=kept) for kept in (True, False)
    )
    return {
        "data": task.data.name,
        "gallery": len(subjects),
        "queries": len(queries),
        "speedup_over_published": sum(published) / sum(first.seconds[: len(few)]),
        "r1_default": float(first.right.mean()),
        "r1_full": float(full.right.mean()),
        "r1_difference_95": [difference.low, difference.high],
        "query_seconds": _spread(cached, 1),
        "query_seconds_without_cache": _spread(stored, 1),
        "without_cache": float(np.median(stored) / np.median(cached)),
        "cache_read_ms": _spread(reads, 1000),
        "bytes_a_picture": float(np.mean([len(encode(each)) for each in known.found.values()])),
        "published_seconds_a_query": float(np.mean(published)),
        "ways": {
            name: {
                "seconds_a_query": float(np.mean(run.seconds)),
                "candidates_a_second": CANDIDATES * len(run.seconds) / sum(run.seconds),
                "r1": float(run.right.mean()),
                "lightglue_pairs": run.deep,
                "memory_mib": run.memory,
            }
            for name, run in runs.items()
        },
    }


def _list(matches: Matches) -> CandidateList:
    return CandidateList(
        query=matches.query,
        watermark=matches.watermark,
        candidates=[item.candidate for item in matches.evidence],
    )


def _several(work: Callable[[], Any], times: int) -> list[float]:
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return seconds


def _spread(seconds: Sequence[float], scale: float) -> dict[str, float]:
    return {f"p{part}": float(np.percentile(seconds, part)) * scale for part in (50, 95)}


def _memory() -> float:
    """Return the process's peak memory so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
