"""Estimates the size of a deployment from measured unit costs.

Each cost says where it was measured (docs/performance.md), or that it was not.
"""

from dataclasses import dataclass
from math import ceil

DAY = 86_400.0
# A fully loaded replica has long queues: planned utilisation.
BUSY = 0.7
# Kafka keeps captures, and what follows from them, for two weeks, decisions for a year.
DAYS_KEPT, DECISION_DAYS_KEPT, COPIES = 14, 365, 3

# Core seconds per animal: the mask 0.16, keypoints 0.10, decoding and the encoder on a CPU 0.06.
EMBEDDER_SECONDS, ENCODER_SECONDS = 0.29, 0.04
# Comparing it with 100 candidates, per pass, 0.10 for species that are easy to tell apart, 0.28
# otherwise.
COMPARISON_SECONDS = 0.20
# Passes until a decision: 1 when animals arrive singly, 2 when all are published at once.
PASSES = 1.5
LOOKUP_SECONDS, REGISTRY_SECONDS = 0.05, 0.125
# Bytes. Ledger: 20 kB per decision on average, 28 kB at most. Qdrant: its own rule, 1.5 times the
# vectors of 512 floats, and the payload, 4 kB; 64 descriptors, 120 kB (measured in Edge). A crop's
# keypoints: 35 kB. Crops, JPEGs of at most 1,024 pixels: estimated. Messages on the wire: per pass
# a list of 100 candidates (51 kB) and its matches (62 kB).
LEDGER_BYTES, QDRANT_BYTES, KEYPOINT_BYTES, CROP_BYTES = 28_000, 124_000, 35_000, 120_000
SIGHTING_BYTES, LIST_BYTES, DECISION_BYTES = 3_000, 113_000, 8_000
# More cache is useless when candidates are not seen twice; the store has them too.
MOST_CACHED = 1_000_000

# Replicas take whole partitions; several per replica allow scaling and even shares.
PARTITIONS_A_REPLICA = 2
MIN_PARTITIONS = 12


@dataclass(frozen=True)
class Load:
    """Input load. `peak`: the busiest hours relative to the daily average.

    `gallery`: final number of enrolled sightings; `picture_bytes`: of an uploaded capture.
    """

    captures_a_day: int
    gallery: int
    animals: float = 1.2
    peak: float = 4.0
    picture_bytes: int = 2_000_000


@dataclass(frozen=True)
class Size:
    """Required resources. Memory and disk in bytes, replicas of one core each."""

    animals_a_second: float
    replicas: dict[str, int]
    partitions: int
    qdrant_memory: float
    ledger_memory: float
    cache_memory: float
    kafka_disk: float
    crop_disk: float


def size(load: Load, *, triton: bool) -> Size:
    """Return the size for a load, with the encoder on Triton or in the embedder."""
    animals = load.captures_a_day / DAY * load.animals * load.peak
    embedder = EMBEDDER_SECONDS + (0.0 if triton else ENCODER_SECONDS)
    cores = {
        "embedder": embedder,
        "lookup": LOOKUP_SECONDS,
        "matcher": PASSES * COMPARISON_SECONDS,
        "registry": PASSES * REGISTRY_SECONDS,
    }
    replicas = {name: max(1, ceil(animals * each / BUSY)) for name, each in cores.items()}
    daily = load.captures_a_day * (
        load.picture_bytes + load.animals * (SIGHTING_BYTES + PASSES * LIST_BYTES)
    )
    yearly = load.captures_a_day * load.animals * DECISION_BYTES * DECISION_DAYS_KEPT
    enrolments = load.gallery * SIGHTING_BYTES
    return Size(
        animals_a_second=animals,
        replicas=replicas,
        partitions=max(MIN_PARTITIONS, PARTITIONS_A_REPLICA * max(replicas.values())),
        qdrant_memory=load.gallery * QDRANT_BYTES,
        ledger_memory=load.gallery * LEDGER_BYTES,
        cache_memory=min(load.gallery, MOST_CACHED) * KEYPOINT_BYTES,
        kafka_disk=COPIES * (DAYS_KEPT * daily + yearly + enrolments),
        crop_disk=load.gallery * (CROP_BYTES + KEYPOINT_BYTES),
    )
