"""Duration of backups and restores of the ledger: `python -m bench.restore --sizes 10000`.

A real ledger is filled with decisions of realistic size: 20 ranked individuals with evidence, and
an enrolment with its embedding. Then it is exported, emptied and restored.
"""

import argparse
import gzip
import json
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.progress import track
from rich.table import Table

from embedded.temporary import empty_ledger
from resight.console import notes, results
from services.registry.ledger.archive import archived, emptied, restored
from services.registry.ledger.audit import check
from services.registry.ledger.ledger import Ledger
from shared.embeddings import DIMENSION, pack
from shared.messages import (
    OUTCOME_NEW,
    BlobReference,
    Candidate,
    Decision,
    Enrolment,
    Evidence,
    ModelReference,
    RankedIndividual,
)

GALLERY = "default/made-zebra"
RANKED = 20


def fill(ledger: Ledger, size: int) -> None:
    """Enrol this many sightings, each of its own individual."""
    vector = pack(
        np.full(DIMENSION, DIMENSION**-0.5, dtype=np.float32),
        ModelReference(name="encoder", version="1", preprocessing="abc"),
    )
    crop = BlobReference(key=f"crops/{'k' * 64}.jpg", sha256="0" * 64, size=1)
    candidate = Candidate(sighting_id="x" * 64, crop=crop, cosine=0.9)
    ranked = RankedIndividual(individual="made-zebra-0001", best=Evidence(candidate=candidate))
    for number in track(range(size), f"{size:,} decisions", console=notes):
        name = f"{number:064d}"
        decision = Decision(
            gallery=GALLERY,
            sighting_id=name,
            image_sha256=name,
            deployment="gate",
            outcome=OUTCOME_NEW,
            individual="+0",
            ranked=[ranked] * RANKED,
        )
        enrolment = Enrolment(gallery=GALLERY, sighting_id=name, embedding=vector, crop=crop)
        ledger.decide(decision, enrolment, None)


def measure(size: int, folder: Path) -> dict[str, float]:
    """Return the seconds of an export and of a restore, and the file's size."""
    file = folder / "ledger.gz"
    with empty_ledger() as ledger:
        fill(ledger, size)
        began = time.perf_counter()
        with gzip.open(file, "wt", compresslevel=1) as target:
            target.writelines(f"{line}\n" for line in archived(ledger.store))
        exported = time.perf_counter() - began
        emptied(ledger.store)
        began = time.perf_counter()
        with gzip.open(file, "rt") as source:
            list(restored(ledger.store, source))
        took = time.perf_counter() - began
        if faults := check(ledger, GALLERY):
            raise SystemExit(f"the restored ledger is inconsistent: {faults[0]}")
    return {
        "export_seconds": round(exported, 1),
        "restore_seconds": round(took, 1),
        "restored_a_second": round(size / took),
        "file_megabytes": round(file.stat().st_size / 1e6, 1),
    }


def main() -> None:
    """Measure each size, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--json", type=Path, help="Write the numbers here.")
    task = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {str(size): measure(size, Path(folder)) for size in task.sizes}
    table = Table("sightings", "export, s", "restore, s", "restored a second", "file, MB")
    for name, numbers in found.items():
        table.add_row(f"{int(name):,}", *map(str, numbers.values()))
    results.print(table)
    if task.json is not None:
        task.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
