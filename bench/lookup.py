"""The shortlist: how often it holds the animal, and what it costs: `python -m bench.lookup`.

With --data: the pictures of a folder, encounters apart, are enrolled and looked up by the service;
the share of queries with their animal among the candidates, with and without local features. With
--sizes: galleries made of descriptors like those of the folder, with noise, and what a query and an
enrolment cost.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from recognition import splits
from recognition.data.labelled_folder import labelled_animals, labelled_capture
from recognition.evaluation.encoders import model_file
from recognition.replay.in_process import cached_handlers
from resight.console import note, results
from services.embedder.settings import EmbedderSettings
from services.lookup.build import build_galleries, build_lookup
from services.lookup.service import LookupService
from services.lookup.settings import GallerySettings, LookupSettings
from services.matcher.settings import MatcherSettings
from services.registry.identity.sighting import enrolment_of
from shared.blobs import BlobStore
from shared.embeddings import pack, unpack
from shared.environment import load
from shared.errors import Poison
from shared.keypoints.keypoints import Keypoints, sound
from shared.keypoints.stored import StoredKeypoints
from shared.messages import BlobReference, CandidateList, Enrolment, Sighting
from shared.viewpoints import opposite

GALLERY = "bench/animals"
SEED, TOGETHER = 666, 32
# Queries per size, and the deviation of made descriptors: .86 of cosine to their origin.
QUERIES, NOISE = 200, 0.045


@contextmanager
def service(folder: Path, store: BlobStore | None) -> Iterator[LookupService]:
    """Yield lookup on an empty gallery."""
    settings = load(GallerySettings).model_copy(update={"kind": "edge", "path": str(folder)})
    galleries = build_galleries(settings)
    try:
        yield build_lookup(galleries, load(LookupSettings), store=store)
    finally:
        galleries.close()


def enrol(lookup: LookupService, sightings: Sequence[Sighting], first: int = 1) -> None:
    """Enrol sightings under consecutive numbers."""
    enrolments: list[Enrolment] = []
    for number, each in enumerate(sightings, first):
        enrolment = enrolment_of(each)
        enrolment.number, enrolment.gallery = number, GALLERY
        enrolments.append(enrolment)
    for start in range(0, len(enrolments), TOGETHER):
        lookup.handle(enrolments[start : start + TOGETHER])


def ask(lookup: LookupService, query: Sighting) -> tuple[set[str], float]:
    """Return the candidates of a query, and the seconds that it took."""
    asked = Sighting()
    asked.CopyFrom(query)
    asked.gallery = GALLERY
    begun = time.perf_counter()
    [found] = lookup.handle([asked])
    seconds = time.perf_counter() - begun
    if isinstance(found, Poison):
        raise SystemExit(found.reason)
    [answer] = found
    if not isinstance(answer, CandidateList):
        raise SystemExit(f"lookup answered {type(answer).__name__}")
    return {each.sighting_id for each in answer.candidates}, seconds


def embedded(data: Path, cache: Path) -> tuple[list[Sighting], list[str], list[int], list[int]]:
    """Return a folder's sightings and individuals, and which are gallery and queries."""
    animals = labelled_animals(data, None)
    split = splits.split("encounter", animals, SEED)
    model = model_file("efficientnet_lite0", cache / "models")
    settings = load(EmbedderSettings), load(MatcherSettings)
    found: list[Sighting] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        cached_handlers(Path(folder), cache, model, *settings) as through,
    ):
        for start in range(0, len(animals), TOGETHER):
            captures = [
                labelled_capture(each).capture for each in animals[start : start + TOGETHER]
            ]
            for result in through.embedder.handle(captures):
                if isinstance(result, Poison):
                    raise SystemExit(result.reason)
                found += [each for each in result if isinstance(each, Sighting)]
    names = [each.identities[0] for each in animals]
    return found, names, list(split.gallery), list(split.queries)


def recall(data: Path, cache: Path) -> dict[str, Any]:
    """Return the share of queries with their animal's flank among the candidates."""
    sightings, names, gallery, queries = embedded(data, cache)
    store = BlobStore((cache / "crops").resolve().as_uri())
    once = {sightings[i].sighting_id: i for i in gallery}
    told: dict[str, Any] = {"gallery": len(once), "queries": len(queries)}
    for name, kept in (("embedding", None), ("embedding and votes", store)):
        hits, seconds = [], []
        with tempfile.TemporaryDirectory() as folder, service(Path(folder), kept) as lookup:
            enrol(lookup, [sightings[i] for i in once.values()])
            for i in queries:
                found, took = ask(lookup, sightings[i])
                right = {
                    sighting
                    for sighting, j in once.items()
                    if names[j] == names[i]
                    and sightings[j].viewpoint != opposite(sightings[i].viewpoint)
                }
                hits.append(bool(found & right))
                seconds.append(took)
        told[name] = {"r100": float(np.mean(hits)), **_spread(seconds)}
    return told


def made(
    count: int, like: Sequence[tuple[Sighting, Keypoints]], store: StoredKeypoints
) -> Iterator[Sighting]:
    """Yield sightings whose embeddings and keypoints resemble those of others."""
    rng = np.random.default_rng(SEED)
    for number in range(count):
        origin, keypoints = like[number % len(like)]
        noisy = keypoints.unit() + rng.normal(0, NOISE, keypoints.descriptors.shape)
        described = sound(
            keypoints.positions,
            keypoints.scores,
            noisy.astype(np.float32),
            width=keypoints.width,
            height=keypoints.height,
        )
        digest = f"{number:064x}"
        store.put(digest, described)
        yield Sighting(
            sighting_id=digest,
            viewpoint=origin.viewpoint,
            crop=BlobReference(key=f"crops/{number}.jpg", sha256=digest, size=1),
            embedding=pack(_moved(unpack(origin.embedding), rng), origin.embedding.model),
            keypoints=origin.keypoints,
        )


def _moved(vector: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    moved = vector + rng.normal(0, NOISE / 2, vector.shape)
    return np.asarray(moved / np.linalg.norm(moved), np.float32)


def cost(sizes: Sequence[int], data: Path, cache: Path) -> list[dict[str, Any]]:
    """Return what galleries of these sizes cost, grown one after the other."""
    sightings, _, _, _ = embedded(data, cache)
    extractor = sightings[0].keypoints
    kept = StoredKeypoints(BlobStore((cache / "crops").resolve().as_uri()), extractor)
    found = kept.get([each.crop.sha256 for each in sightings])
    like = [(each, found[each.crop.sha256]) for each in sightings if each.crop.sha256 in found]
    told = []
    with tempfile.TemporaryDirectory() as folder:
        store = BlobStore((Path(folder) / "crops").as_uri())
        every = made(max(sizes), like, StoredKeypoints(store, extractor))
        before, there = _memory(), 0
        with service(Path(folder) / "gallery", store) as lookup:
            for size in sorted(sizes):
                note(f"enrolling up to {size:,}")
                some = [next(every) for _ in range(size - there)]
                begun = time.perf_counter()
                enrol(lookup, some, there + 1)
                enrolled = (time.perf_counter() - begun) / len(some)
                there = size
                seconds = [ask(lookup, each)[1] for each in some[:QUERIES]]
                told.append(
                    {
                        "sightings": size,
                        "enrol_ms": 1000 * enrolled,
                        **_spread(seconds),
                        "memory_mb": (_memory() - before) / 1e6,
                        "disk_mb": _bytes(Path(folder) / "gallery") / 1e6,
                    }
                )
    return told


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    return {f"p{part}_ms": 1000 * float(np.percentile(seconds, part)) for part in (50, 95)}


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _bytes(folder: Path) -> int:
    return sum(512 * each.stat().st_blocks for each in folder.rglob("*") if each.is_file())


def main() -> None:
    """Measure, print tables, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder with encounters.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[], help="Sizes of made galleries.")
    parser.add_argument("--cache", type=Path, default=Path("out/cache"))
    parser.add_argument("--json", type=Path, help="Write the numbers here.")
    task = parser.parse_args()
    told: dict[str, Any] = {}
    if task.sizes:
        told["cost"] = cost(task.sizes, task.data, task.cache)
        table = Table(*told["cost"][0], title="made galleries")
        for row in told["cost"]:
            table.add_row(*(f"{value:,.1f}".removesuffix(".0") for value in row.values()))
    else:
        told["recall"] = recall(task.data, task.cache)
        table = Table("shortlist", "R@100", "p50, ms", "p95, ms", title=task.data.name)
        for name in ("embedding", "embedding and votes"):
            numbers = told["recall"][name].values()
            table.add_row(name, *(f"{value:.3f}" for value in numbers))
    results.print(table)
    if task.json:
        task.json.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
