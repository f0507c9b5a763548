"""Sizes follow from the load, and the page shows what the command says."""

import json
import re
from dataclasses import replace
from pathlib import Path

from typer.testing import CliRunner

from resight.main import app
from resight.sizing import BUSY, DAY, Load, size

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
LOAD = Load(captures_a_day=100_000, gallery=1_000_000)


def test_twice_the_captures_take_twice_the_replicas_and_the_same_memory() -> None:
    once, twice = size(LOAD, triton=True), size(replace(LOAD, captures_a_day=200_000), triton=True)
    assert twice.replicas["matcher"] in {2 * once.replicas["matcher"] + n for n in (-1, 0)}
    assert twice.ledger_memory == once.ledger_memory
    assert twice.kafka_disk > 1.5 * once.kafka_disk


def test_the_replicas_carry_the_peak_with_room() -> None:
    found = size(LOAD, triton=False)
    assert found.animals_a_second == 100_000 / DAY * LOAD.animals * LOAD.peak
    for name, seconds in {"embedder": 0.33, "matcher": 0.30, "registry": 0.1875}.items():
        assert found.animals_a_second * seconds <= BUSY * found.replicas[name]
    assert found.partitions >= 2 * max(found.replicas.values())


def test_a_small_network_takes_one_of_each() -> None:
    found = size(Load(captures_a_day=500, gallery=10_000), triton=False)
    assert set(found.replicas.values()) == {1}
    assert found.ledger_memory < 1e9


def test_the_table_of_the_page_is_what_the_command_says() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in OPERATIONS.read_text().splitlines()
        if re.match(r"\| [\d,]+ \| [\d,]+ \|", line)
    ]
    assert len(rows) == 4
    for row in rows:
        captures, gallery = (int(cell.split()[0].replace(",", "")) for cell in row[:2])
        options = ["--captures-per-day", str(captures), "--gallery", str(gallery)]
        done = CliRunner().invoke(app, ["size", *options, "--json"])
        said = json.loads(done.stdout)
        replicas = "/".join(str(count) for count in said["replicas"].values())
        memory = [
            f"{said[name] / 1e9:,.1f}"
            for name in ("qdrant_memory", "ledger_memory", "cache_memory")
        ]
        disk = [f"{said[name] / 1e9:,.0f}" for name in ("kafka_disk", "crop_disk")]
        assert row[2:] == [replicas, str(said["partitions"]), *memory, *disk]
