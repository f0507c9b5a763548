"""`resight size`: what a deployment takes."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from resight import sizing
from resight.console import AsJson, print_json, results


def size(
    *,
    captures_per_day: Annotated[int, typer.Option(min=1, help="Photographs in a day.")],
    gallery: Annotated[int, typer.Option(min=1, help="Sightings enrolled in the end.")],
    animals: Annotated[float, typer.Option(min=0.1, help="Animals in a photograph.")] = 1.2,
    peak: Annotated[
        float, typer.Option(min=1, help="Busiest hours against the day's average.")
    ] = 4.0,
    picture_megabytes: Annotated[float, typer.Option(min=0.01, help="Size of a picture.")] = 2.0,
    triton: Annotated[
        bool, typer.Option(help="The encoder runs on Triton, or in the embedder on its CPU.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Say how many partitions, replicas, gigabytes a system takes that keeps up with an upload.

    Computed from costs that were measured, on one core of a shared server: see
    docs/performance.md and resight/sizing.py. No GPU was measured; the matcher's cores are those
    of a CPU. A replica is planned to be busy for seven tenths of its time at the peak.
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
        "load at its peak",
        f"{found.animals_a_second:.2f} animals/s",
        f"{captures_per_day:,} captures a day of {animals:g} animals, {peak:g} times the average",
    )
    for name, count in found.replicas.items():
        table.add_row(f"{name} replicas", str(count), "of one core each")
    table.add_row(
        "GPUs for Triton",
        "1" if triton else "0",
        "a guess: none was measured" if triton else "the encoder runs in the embedder",
    )
    table.add_row("partitions", str(found.partitions), "of each topic; chosen once")
    for name, volume, why in (
        ("Qdrant memory", found.qdrant_memory, "4 kB a sighting, of each copy"),
        ("ledger memory", found.ledger_memory, "at most 20 kB a sighting; twice that on disk"),
        ("cache memory", found.cache_memory, "35 kB a crop, of a million crops at most"),
        ("Kafka disk", found.kafka_disk, "three copies: captures 14 days, decisions a year"),
        ("object storage", found.crop_disk, "about 120 kB a crop"),
    ):
        table.add_row(name, f"{volume / 1e9:,.1f} GB", why)
    results.print(table)
