"""`resight size`: estimate the resources of a deployment."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from resight import sizing
from resight.console import AsJson, print_json, results


def size(
    *,
    captures_per_day: Annotated[int, typer.Option(min=1, help="Photographs per day.")],
    gallery: Annotated[int, typer.Option(min=1, help="Total sightings enrolled.")],
    animals: Annotated[float, typer.Option(min=0.1, help="Animals per photograph.")] = 1.2,
    peak: Annotated[
        float, typer.Option(min=1, help="Peak load as a multiple of the daily average.")
    ] = 4.0,
    picture_megabytes: Annotated[
        float, typer.Option(min=0.01, help="Average picture size in MB.")
    ] = 2.0,
    triton: Annotated[
        bool, typer.Option(help="Run the encoder on Triton instead of in the embedder on its CPU.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Estimate partitions, replicas and storage for a given load.

    Based on costs measured on one core of a shared server: see docs/performance.md and
    resight/sizing.py. No GPU was measured; the matcher's cores are CPU cores. Replicas are planned
    to be busy for 70 % of the time at peak load.
    """
    load = sizing.Load(
        captures_a_day=captures_per_day,
        gallery=gallery,
        animals=animals,
        peak=peak,
        picture_bytes=round(picture_megabytes * 1e6),
    )
    found = sizing.size(load, triton=triton)
    if as_json:
        print_json(asdict(found))
        return
    table = Table("what", "how much", "why")
    table.add_row(
        "peak load",
        f"{found.animals_a_second:.2f} animals/s",
        f"{captures_per_day:,} captures/day × {animals:g} animals × {peak:g} peak factor",
    )
    for name, count in found.replicas.items():
        table.add_row(f"{name} replicas", str(count), "one core each")
    table.add_row(
        "GPUs for Triton",
        "1" if triton else "0",
        "estimated, not measured" if triton else "the encoder runs in the embedder",
    )
    table.add_row("partitions", str(found.partitions), "per topic; cannot be changed later")
    for name, volume, why in (
        ("Qdrant memory", found.qdrant_memory, "4 kB per sighting and replica"),
        ("ledger memory", found.ledger_memory, "up to 28 kB per sighting; twice that on disk"),
        ("cache memory", found.cache_memory, "35 kB per crop, up to a million crops"),
        ("Kafka disk", found.kafka_disk, "three replicas: captures 14 days, decisions one year"),
        ("object storage", found.crop_disk, "about 120 kB per crop"),
    ):
        table.add_row(name, f"{volume / 1e9:,.1f} GB", why)
    results.print(table)
