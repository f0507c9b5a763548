"""The ledger is lost and restored, with pictures coming before, between and after."""

import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from embedded.servers import HOST, free_port, ledger_store
from resight.ledger_tools.consistency import published, topic_faults, vector_faults
from resight.main import app
from services.lookup.galleries.edge import EdgeGalleries
from services.lookup.service import LookupService
from services.lookup.settings import GallerySettings, LookupSettings
from services.registry.ledger.audit import check
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.store import Store
from services.registry.outbox.broker import Broker
from services.registry.outbox.continuity import BehindError, Continuity
from services.registry.outbox.recovery import recover
from shared.errors import Poison
from shared.kafka.clients import ensure_topics
from shared.kafka.topics import ALL, ENROLMENTS
from shared.messages import CandidateList, Enrolment
from shared.settings import KafkaSettings
from tests.support.queries import matched, registry, sighting

RUN = CliRunner()
# Short lists: what is decided does not matter here, but how numbers are given.
FEW = LookupSettings(candidates=3, whole_below=0)


class Installation:
    """Lookup, registry, ledger and broker, each a real one; only the matcher is left out."""

    def __init__(self, kafka: KafkaSettings, folder: Path) -> None:
        self.kafka = kafka
        self.gallery = f"default/kind-{uuid4().hex[:8]}"
        self.vectors = GallerySettings(kind="edge", path=str(folder / "gallery"))
        self.files = folder / "ledger"
        self.files.mkdir()
        self.port = free_port()
        self.valkey: subprocess.Popen[bytes] | None = None
        self.start_ledger()

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def start_ledger(self) -> None:
        server = ledger_store(self.files, self.port)
        self.valkey = server.start()

    def end_ledger(self) -> None:
        """Kill it, as a power cut does."""
        assert self.valkey is not None
        self.valkey.kill()
        self.valkey.wait()

    def ledger(self) -> Ledger:
        return Ledger(Store(self.url, 5.0))

    def serve(self, numbers: Sequence[int]) -> None:
        """Start everything, let pictures come, and end it."""
        ledger = self.ledger()
        continuity = Continuity(ledger, self.kafka)
        continuity.begin()
        service = registry(ledger)
        with closing(Broker(self.kafka)) as broker, closing(EdgeGalleries(self.vectors)) as shelves:
            recover(ledger, broker)
            lookup = LookupService(shelves, FEW, sent=lambda _: None)
            mine = [
                each
                for each in broker.since(ENROLMENTS, {})
                if isinstance(each, Enrolment) and each.gallery == self.gallery
            ]
            for start in range(0, len(mine), 32):
                lookup.handle(mine[start : start + 32])
            for number in numbers:
                name = f"{number} {self.gallery}"
                [result] = lookup.handle([sighting(name, gallery=self.gallery)])
                while not isinstance(result, Poison) and isinstance(result[0], CandidateList):
                    [result] = service.handle([matched(result[0])])
                assert not isinstance(result, Poison), result.reason
                service.acknowledged(broker.publish(result))
                lookup.handle([each for each in result if isinstance(each, Enrolment)])

    def faults(self) -> list[str]:
        """What the topics, the ledger and the gallery disagree about."""
        ledger = self.ledger()
        decisions, enrolments = published(self.kafka)
        with closing(EdgeGalleries(self.vectors)) as shelves:
            return [
                *check(ledger, self.gallery),
                *topic_faults(ledger, self.gallery, decisions, enrolments),
                *vector_faults(ledger, self.gallery, shelves),
                *(
                    f"number {number} stands for {len(those)} sightings in epoch {epoch}"
                    for held in (decisions, enrolments)
                    for (gallery, epoch, number), those in held.items()
                    if gallery == self.gallery and len(those) > 1
                ),
            ]

    def command(self, *words: str) -> str:
        done = RUN.invoke(app, ["ledger", *words, "--ledger-url", self.url])
        assert done.exit_code == 0, done.output
        return done.stdout


@pytest.fixture
def installation(kafka: KafkaSettings, tmp_path: Path) -> Iterator[Installation]:
    ensure_topics(kafka, ALL, 2)
    found = Installation(kafka, tmp_path)
    yield found
    found.end_ledger()


def epochs(installation: Installation) -> dict[str, set[int]]:
    """The numbers of all decisions on the topic, by epoch."""
    found: dict[str, set[int]] = defaultdict(set)
    for gallery, epoch, number in published(installation.kafka)[0]:
        if gallery == installation.gallery:
            found[epoch].add(number)
    return dict(sorted(found.items()))


def test_a_restored_ledger_the_topics_and_the_gallery_agree(
    installation: Installation, tmp_path: Path
) -> None:
    file = str(tmp_path / "backup.gz")
    installation.serve(range(500))
    installation.command("export", file)
    installation.serve(range(500, 600))
    installation.end_ledger()
    for path in sorted(installation.files.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    installation.start_ledger()
    assert "500 entries" in installation.command("import", file)
    installation.serve(range(590, 600))  # the lost time, in another order
    installation.serve(range(500, 590))
    installation.serve(range(600, 610))
    assert installation.faults() == []
    ledger = installation.ledger()
    assert ledger.count(installation.gallery, "entries") == 610
    assert [len(numbers) for numbers in epochs(installation).values()] == [600, 610]
    assert "sound, entries: 610" in installation.command("verify")


def test_a_ledger_whose_file_was_cut_in_the_middle_is_found_out_and_mended(
    installation: Installation,
) -> None:
    installation.serve(range(60))
    installation.end_ledger()
    [log] = installation.files.rglob("*.incr.aof")
    kept = log.read_bytes()
    log.write_bytes(kept[: round(len(kept) * 0.6)])
    installation.start_ledger()
    left = installation.ledger().count(installation.gallery, "entries")
    assert 0 < left < 60
    with pytest.raises(BehindError, match=f"has {left}"):
        installation.serve(range(60, 61))
    assert any("not in the ledger" in each for each in installation.faults())
    installation.command("renew")
    installation.serve(range(70))
    assert installation.faults() == []
    assert installation.ledger().count(installation.gallery, "entries") == 70
