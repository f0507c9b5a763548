"""Compares the matcher's policies with published LightGlue on real pictures, in one run.

    python -m bench.matcher --data FOLDER --json FILE

Queries of the published closed split are run on its gallery by the services' own code, each
compared with 100 candidates with cached keypoints. R-1 is by local evidence alone, ranked in the
same way for each policy. The published loop matches the same keypoints, pair by pair.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import cv2
import torch
from rich.box import SIMPLE
from rich.table import Table

from bench.matcher.policies import measured
from recognition.evaluation.encoders import model_file
from recognition.replay.in_process import cached_handlers
from resight.console import results
from services.embedder.settings import EmbedderSettings
from services.matcher.settings import MatcherSettings
from shared.environment import load


def main() -> None:
    """Measure, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder with a metadata.csv.")
    parser.add_argument("--json", type=Path, help="Write the numbers here.")
    parser.add_argument("--queries", type=int, default=60, help="Maximum number of queries.")
    parser.add_argument(
        "--published", type=int, default=6, help="Number of them run by the published loop."
    )
    parser.add_argument("--cache", type=Path, default=Path("out/cache"), help="Keeps keypoints.")
    task = parser.parse_args()
    threads = os.cpu_count() or 1
    settings = load(MatcherSettings).model_copy(update={"threads": threads, "device": "cpu"})
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    with tempfile.TemporaryDirectory() as folder:
        model = model_file("efficientnet_lite0", task.cache / "models")
        quiet = settings.model_copy(update={"policy": "neighbours"})
        with cached_handlers(
            Path(folder), task.cache, model, load(EmbedderSettings), quiet
        ) as through:
            found = measured(task, settings, through)
    results.print(_table(task.data.name, found))
    if task.json is not None:
        task.json.write_text(json.dumps(found, indent=2) + "\n")


def _table(name: str, found: dict[str, Any]) -> Table:
    table = Table(
        "policy, precision",
        "s a query",
        "candidates/s",
        "R-1",
        "LightGlue saw",
        "of published",
        "MiB more",
        title=f"{name}: {found['queries']} queries, {found['gallery']} in the gallery",
        box=SIMPLE,
        caption=f"published: {found['published_seconds_a_query']:.1f} s per query. A new query "
        f"with "
        f"100 cached candidates: p95 {found['query_seconds']['p95']:.2f} s; from the store, with "
        f"an empty cache: {found['without_cache']:.2f} times as much. Reading cached ones: "
        f"p95 {found['cache_read_ms']['p95']:.1f} ms, {found['bytes_a_picture'] / 1000:.1f} "
        "kB each.",
    )
    for way, row in found["ways"].items():
        table.add_row(
            way,
            f"{row['seconds_a_query']:.3f}",
            f"{row['candidates_a_second']:.0f}",
            f"{row['r1']:.3f}",
            f"{row['lightglue_pairs']:.1f}",
            f"1/{found['published_seconds_a_query'] / row['seconds_a_query']:.0f}",
            f"{row['memory_mib']:.0f}",
        )
    return table


if __name__ == "__main__":
    main()
