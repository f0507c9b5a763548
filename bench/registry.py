"""The cost of a decision at 1,000 and at 100,000 enrolments: `python -m bench.registry`.

A real ledger is filled with generated animals, five pictures each, every one with a list of 100
candidates; or, with --one, with pictures of a single animal. Then the registry decides on queries,
each with 100 candidates, four of them of its own animal, as in service, outcome by outcome. Bytes
written are read off the ledger's append-only file.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from rich.progress import track
from rich.table import Table

from embedded.temporary import empty_ledger
from resight.console import notes, results
from services.registry.build import build_registry
from services.registry.calibration import calibration
from services.registry.features.comparisons import Comparisons
from services.registry.identity.sighting import enrolment_of
from services.registry.ledger.keys import individual_prefix
from services.registry.ledger.ledger import Ledger
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.embeddings import DIMENSION, pack
from shared.messages import (
    DEPTH_LIGHTGLUE,
    OUTCOME_KNOWN,
    OUTCOME_NEW,
    Candidate,
    Decision,
    Evidence,
    Matches,
    ModelReference,
    Sighting,
)
from shared.votes import KeypointVotes

PICTURES = 5
OWN = 4  # candidates of a query's own animal
CANDIDATES = 100
# As the matcher sends them: keypoints that vote, places each, candidates that answer.
VOTERS, PLACES, ANSWERS = 96, 8, 40
QUERIES = 200


class Herd:
    """Generated animals, their pictures numbered from 1 in enrolment order."""

    def __init__(
        self, gallery: str, models: Sequence[ModelReference], pictures: int = PICTURES
    ) -> None:
        self.gallery = gallery
        self.pictures = pictures
        self._encoder, self._extractor, self._matcher = models
        self._dice = np.random.default_rng(0)
        self._vector = pack(np.full(DIMENSION, DIMENSION**-0.5, dtype=np.float32), self._encoder)

    def individual(self, animal: int) -> str:
        """Return the individual ID of an animal, counted from 0."""
        return f"{individual_prefix(self.gallery)}-{animal + 1:04d}"

    def query(self, name: str, own: Sequence[int], enrolled: int) -> Matches:
        """Return a query whose animal has the pictures `own`, with this many enrolled."""
        others = self._dice.integers(1, enrolled + 1, CANDIDATES)
        numbers = [*own, *(int(each) for each in others if each not in own)][:CANDIDATES]
        sighting = Sighting(
            sighting_id=name, image_sha256=name, gallery=self.gallery, embedding=self._vector
        )
        every = sorted(set(numbers))
        evidence = [self._evidence(number, same=number in own) for number in every]
        for item in evidence[:ANSWERS]:
            item.reverse_keypoints = item.candidate.enrolment_number
            item.reverse = self._dice.integers(90, 200, VOTERS, np.uint8).tobytes()
        return Matches(
            query=sighting,
            watermark=enrolled,
            evidence=evidence,
            votes=self._votes(enrolled + 1, every).message(),
            extractor=self._extractor,
            matcher=self._matcher,
        )

    def _votes(self, name: int, numbers: Sequence[int]) -> KeypointVotes:
        places = min(PLACES, len(numbers))
        voted = [self._dice.permutation(numbers)[:places] for _ in range(VOTERS)]
        similar = np.sort(self._dice.integers(90, 240, (VOTERS, places), np.uint8))[:, ::-1]
        return KeypointVotes(name, np.array(voted, np.int64), similar)

    def _evidence(self, number: int, *, same: bool) -> Evidence:
        count = int(self._dice.poisson(40 if same else 0.3))
        return Evidence(
            candidate=Candidate(
                sighting_id=f"picture {number}",
                enrolment_number=number,
                cosine=self._dice.normal(0.9 if same else 0.7, 0.03),
            ),
            depth=DEPTH_LIGHTGLUE,
            neighbours=count,
            neighbour_score=count / 10,
            matches=count,
            confidence=count * 0.8,
            inliers=count,
        )


def fill(ledger: Ledger, herd: Herd, size: int) -> None:
    """Enrol so many pictures."""
    for number in track(range(1, size + 1), f"{size:,} enrolments", console=notes):
        animal, index = divmod(number - 1, herd.pictures)
        own = range(max(animal * herd.pictures + 1, number - OWN), number)
        matches = herd.query(f"picture {number}", own, max(1, number - 1))
        evidence = [each for each in matches.evidence if each.candidate.enrolment_number < number]
        founds = index == 0
        ledger.decide(
            Decision(
                gallery=herd.gallery,
                sighting_id=f"picture {number}",
                image_sha256=f"picture {number}",
                outcome=OUTCOME_NEW if founds else OUTCOME_KNOWN,
                individual="+0" if founds else herd.individual(animal),
            ),
            enrolment_of(matches.query),
            number - 1,
            comparisons=Comparisons.of(evidence, {}, matches.votes),
        )


def decide(service: RegistryService, herd: Herd, enrolled: int) -> Iterator[float]:
    """Yield the milliseconds of decisions on queries whose animals were enrolled early."""
    for index in range(QUERIES):
        animal = index * 7 % max(1, enrolled // herd.pictures // 2)
        last = min((animal + 1) * herd.pictures, enrolled)
        own = range(last - OWN, last)
        matches = herd.query(f"query {index} of {enrolled}", own, enrolled)
        # Every query enrols, so the next ones have more enrolments to compare.
        matches.watermark = enrolled + index
        began = time.perf_counter()
        [answer] = service.handle([matches])
        yield 1000 * (time.perf_counter() - began)
        if not isinstance(answer, Sequence) or not isinstance(answer[0], Decision):
            raise SystemExit(f"not decided: {answer}")


def written(ledger: Ledger) -> int:
    """Return the bytes of the ledger's append-only file."""
    return int(ledger.store.run("INFO", "persistence")["aof_current_size"])


def main() -> None:
    """Fill the ledger in steps, time decisions at each, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--one", action="store_true", help="Pictures of one animal only.")
    parser.add_argument("--json", type=Path, help="Write the numbers here.")
    task = parser.parse_args()
    settings = RegistrySettings()
    curves = calibration.load(settings.calibration)
    models = [
        ModelReference(name=each.name, version=each.version, preprocessing=each.preprocessing)
        for each in curves.models
    ]
    found: dict[str, dict[str, float]] = {}
    with empty_ledger() as ledger:
        service = build_registry(ledger, settings, curves)
        for size in task.sizes:
            herd = Herd(f"default/made-zebra-{size}", models, size if task.one else PICTURES)
            fill(ledger, herd, size)
            before = written(ledger)
            took = np.array(list(decide(service, herd, size)))
            half, most = np.percentile(took, [50, 95])
            found[str(size)] = {
                "p50_ms": round(float(half), 2),
                "p95_ms": round(float(most), 2),
                "written_kb": round((written(ledger) - before) / QUERIES / 1000, 2),
            }
    title = "one decision, of one animal" if task.one else "one decision"
    table = Table("enrolments", "p50, ms", "p95, ms", "written, kB", title=title)
    for name, numbers in found.items():
        table.add_row(f"{int(name):,}", *map(str, numbers.values()))
    results.print(table)
    if task.json is not None:
        task.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
