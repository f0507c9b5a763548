"""Import time and page speed for a catalogue of 10,000 sightings.

    python -m bench.pages --json FILE

A whole stack runs on this machine. Sightings with embeddings are published under their animals'
names, and timed until all are decided. Then pages and lists are requested over HTTP, one after the
other, with many individuals and questions, and one crop's thumbnail for all; a browser with an
empty cache reports its first paint.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from playwright.sync_api import sync_playwright
from rich.box import SIMPLE
from rich.progress import Progress
from rich.table import Table

from bench.screenshots import ARGUMENTS, CHROMIUM
from resight.connections import open_ledger
from resight.console import note, notes, results
from resight.stack.profile import Profile, choose_ports
from resight.stack.supervisor import Supervisor
from services.registry.ledger.keys import key
from services.registry.ledger.ledger import Ledger
from shared.blobs import BlobStore
from shared.embeddings import DIMENSION, pack
from shared.kafka.clients import delivery_seconds, producer
from shared.kafka.topics import address
from shared.messages import BlobReference, ModelReference, Sighting

GALLERY = "default/made-zebra"
MODEL = ModelReference(name="made", version="1", preprocessing="none")
BEGAN = 1_700_000_000
DEPLOYMENTS = 40
ASKED = 100
QUESTIONS = 300
PAINTED = 20
FIRST_PAINT = """() => new Promise((tell) => new PerformanceObserver((list) => {
  for (const paint of list.getEntriesByName("first-contentful-paint")) tell(paint.startTime);
}).observe({ type: "paint", buffered: true }))"""


def sightings(count: int, individuals: int, crop: BlobReference) -> Iterator[Sighting]:
    """Yield generated sightings with embeddings, each with its animal's name."""
    dice = np.random.default_rng(0)
    for number in range(count):
        vector = dice.normal(size=DIMENSION).astype(np.float32)
        sighting = Sighting(
            sighting_id=f"{number:064x}",
            image_sha256=f"{number:064x}",
            gallery=GALLERY,
            species="made-zebra",
            deployment=f"camera-{number % DEPLOYMENTS}",
            crop=crop,
            embedding=pack(vector / np.linalg.norm(vector), MODEL),
            identity=f"Z{number % individuals:04d}",
            identified_by="bench",
        )
        sighting.captured_at.FromSeconds(BEGAN + 3000 * number)
        yield sighting


def imported(supervisor: Supervisor, ledger: Ledger, made: list[Sighting]) -> float:
    """Publish sightings and return the seconds until all are in the ledger."""
    kafka = supervisor.state.kafka()
    began = time.perf_counter()
    with closing(producer(kafka, "bench")) as client:
        sent = []
        for sighting in made:
            where = address(sighting)
            sent.append(client.send(where.topic, sighting.SerializeToString(), where.key.encode()))
        for future in sent:
            future.get(delivery_seconds(kafka))
    with Progress(console=notes, transient=True) as bar:
        task = bar.add_task("enrolling", total=len(made))
        while not bar.finished:
            time.sleep(0.2)
            supervisor.tick()
            bar.update(task, completed=ledger.count(GALLERY, "enrolments"))
    return time.perf_counter() - began


def ask(ledger: Ledger) -> None:
    """Leave questions open between pairs of individuals."""
    names = sorted(ledger.individuals(GALLERY).items())
    for number in range(min(QUESTIONS, len(names) // 2)):
        (one, [first, *_]), (other, [second, *_]) = names[2 * number : 2 * number + 2]
        ledger.store.run(
            "HSET", key(GALLERY, "questions"), f"{one} {other}", f"0.100 {first} {second}"
        )


def timed(client: httpx.Client, paths: Callable[[int], str]) -> dict[str, float]:
    """Return the milliseconds of requests, each for another item."""
    took = []
    for number in range(ASKED):
        path = paths(number)
        began = time.perf_counter()
        answer = client.get(path)
        took.append(1000 * (time.perf_counter() - began))
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text[:200]}")
    took.sort()
    return {"p50": statistics.median(took), "p95": took[int(0.95 * len(took))]}


def looked_at(ledger: Ledger) -> dict[str, Callable[[int], str]]:
    """Return the most visited pages: a path for each number."""
    names, site = sorted(ledger.individuals(GALLERY)), f"/g/{GALLERY}"
    random.Random(0).shuffle(names)  # noqa: S311
    return {
        "home": lambda _: "/",
        "gallery": lambda n: f"{site}?offset={48 * (n % 16)}",
        "question": lambda n: f"{site}/questions?from={n}",
        "individual": lambda n: f"{site}/individuals/{names[n % len(names)]}",
    }


def pages(url: str, ledger: Ledger) -> dict[str, dict[str, float]]:
    """Time the pages and the API's lists."""
    api, site = f"/api/v1/galleries/{GALLERY}", f"/g/{GALLERY}"
    asked: dict[str, Callable[[int], str]] = {
        **looked_at(ledger),
        "gallery, filtered": lambda n: (
            f"{site}?sort=-sightings&deployment=camera-{n % DEPLOYMENTS}"
        ),
        "sighting": lambda n: f"{site}/sightings/{n:064x}",
        "API: individuals": lambda n: f"{api}/individuals?offset={50 * (n % 16)}",
        "API: sightings": lambda n: f"{api}/sightings?offset={50 * n}",
        "API: questions": lambda n: f"{api}/questions?offset={n}",
        "thumbnail": lambda n: f"{api}/sightings/{n:064x}/crop?size=320",
    }
    with httpx.Client(base_url=url, timeout=60) as client:
        began = time.perf_counter()
        client.get(site).raise_for_status()
        found = {"the first page after a start": {"p50": 1000 * (time.perf_counter() - began)}}
        for name, paths in asked.items():
            found[name] = timed(client, paths)
    return found


def painted(url: str, ledger: Ledger) -> dict[str, float]:
    """Return the milliseconds until a browser's first paint of a page, the 95th percentile."""
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, paths in looked_at(ledger).items():
            took = []
            for number in range(PAINTED):
                context = browser.new_context()
                page = context.new_page()
                page.goto(url + paths(number))
                took.append(float(page.evaluate(FIRST_PAINT)))
                context.close()
            found[name] = sorted(took)[int(0.95 * PAINTED)]
        browser.close()
    return found


def main() -> None:
    """Fill a stack, time its pages, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sightings", type=int, default=10_000)
    parser.add_argument("--individuals", type=int, default=800)
    parser.add_argument("--json", type=Path, help="Write the numbers here.")
    task = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        profile = Profile(root, root / "models", choose_ports(0), pages=True)
        supervisor = Supervisor(profile, note)
        try:
            supervisor.start()
            crop = BlobStore(profile.crops).put("crops/made.jpg", _crop())
            made = list(sightings(task.sightings, task.individuals, crop))
            with open_ledger(supervisor.state.ledger_url) as ledger:
                seconds = imported(supervisor, ledger, made)
                ask(ledger)
                found: dict[str, Any] = {
                    "sightings": task.sightings,
                    "individuals": ledger.count(GALLERY, "individuals"),
                    "import_seconds": seconds,
                    "milliseconds": pages(supervisor.state.pages_url, ledger),
                    "first_paint": painted(supervisor.state.pages_url, ledger),
                }
        finally:
            supervisor.stop()
    results.print(
        f"{task.sightings:,} sightings of {found['individuals']:,} individuals enrolled in "
        f"{found['import_seconds']:.0f} s"
    )
    table = Table("page", "p50, ms", "p95, ms", "first paint, p95, ms", box=SIMPLE)
    for name, took in found["milliseconds"].items():
        paint = found["first_paint"].get(name)
        table.add_row(
            name,
            f"{took['p50']:.0f}",
            f"{took['p95']:.0f}" if "p95" in took else "",
            "" if paint is None else f"{paint:.0f}",
        )
    results.print(table)
    if task.json is not None:
        task.json.write_text(json.dumps(found, indent=2) + "\n")


def _crop() -> bytes:
    from recognition.synthetic.dataset import draw  # noqa: PLC0415  # takes a second to import

    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder), individuals=2, sightings=2, size=(1024, 768))
        return next(Path(folder).rglob("*.jpg")).read_bytes()


if __name__ == "__main__":
    main()
