"""One undisturbed run of 120 captures with 40 poison messages among them, and what it left."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pytest

from catalogue.publishing.account import Account
from catalogue.publishing.follow import publish_and_follow
from catalogue.reading.catalogue import Photograph
from catalogue.reading.photographs import read as read_catalogue
from recognition.clustering_metrics import pairwise
from recognition.synthetic.dataset import draw
from resight.reports.summary import membership
from resight.stack.profile import Profile, choose_ports
from resight.stack.supervisor import Supervisor
from services.lookup.galleries.edge import EdgeGalleries
from services.lookup.galleries.gallery import Query
from services.lookup.galleries.mark import collection_of
from services.lookup.settings import GallerySettings
from services.registry.ledger.audit import check
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.store import Store
from shared.embeddings import DIMENSION, model_name
from shared.kafka import backlog
from shared.kafka.clients import producer
from shared.kafka.topic_reader import TopicReader
from shared.kafka.topics import CAPTURES, DECISIONS, dead_letter_topics
from shared.messages import Decision
from shared.records import Record
from shared.settings import KafkaSettings
from shared.stage import dead_letters
from shared.stage.dead_letters import DeadLetter
from tests.support.samples.poison import Sample, samples
from tests.support.servers.embedded_stack import with_encoder

CAPTURES_PUBLISHED = 120
POISON_PUBLISHED = 40
PATIENCE_SECONDS = 240.0
DAYLIGHT = range(7, 18)


@dataclass(frozen=True)
class Run:
    """What a run left: in the topics, in the ledger and in the gallery.

    `faults` are the ledger's disagreements with itself; `enrolled` and `held` give
    sighting by number for each gallery, as the ledger and as the gallery have it.
    """

    account: Account
    records: Sequence[Record]  # of the topic of decisions, all of them
    letters: Sequence[DeadLetter]
    faults: Sequence[str]
    entries: int
    enrolled: dict[str, dict[int, str]]
    held: dict[str, dict[int, str]]

    @property
    def decisions(self) -> list[Decision]:
        """The decisions as they stand in the topic, repetitions included."""
        return [Decision.FromString(record.value or b"") for record in self.records]

    def groups(self) -> dict[str, str]:
        """Return where each sighting belongs in the end."""
        return membership(self.account)

    def f1(self) -> float:
        """Return how well sightings of one animal's flank are together in the end, over pairs."""
        truth = {
            name: f"{self.account.published[name].identity} {decision.viewpoint}"
            for name, decision in self.account.decisions.items()
        }
        return pairwise(self.groups(), truth).f1 or 0.0


Attend = Callable[[Supervisor, Account], None]


def run(photographs: Sequence[Photograph], folder: Path, models: Path, attend: Attend) -> Run:
    """Identify the photographs on a stack of their own; `attend` is called all the while.

    Every sighting waits for the decision before it: a doubtful case is decided by what is
    enrolled at that moment, so with one order of arrival and one of decisions two runs
    differ only by what a fault has done.
    """
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RESIGHT_LOOKUP_MAX_UNDECIDED", "1")
        return _run(photographs, folder, models, attend)


def _run(photographs: Sequence[Photograph], folder: Path, models: Path, attend: Attend) -> Run:
    reports: list[str] = []
    supervisor = Supervisor(Profile(folder, models, choose_ports(0)), reports.append)
    supervisor.start()
    try:
        kafka = supervisor.state.kafka()

        def look(account: Account) -> None:
            supervisor.tick()
            attend(supervisor, account)

        account = publish_and_follow(kafka, photographs, look, PATIENCE_SECONDS)
        ledger = Ledger(Store(supervisor.state.ledger_url, 5.0))
        galleries = ledger.galleries()
        faults = [fault for gallery in galleries for fault in check(ledger, gallery)]
        entries = sum(ledger.count(gallery, "entries") for gallery in galleries)
        enrolled = {gallery: _enrolled(ledger, gallery) for gallery in galleries}
        _await_enrolments(supervisor, kafka)
        records = read(kafka, [DECISIONS])
        letters = [
            dead_letters.decode(record, replayed=False)
            for record in read(kafka, dead_letter_topics())
        ]
        [model] = {model_name(decision.models[0]) for decision in account.decisions.values()}
    finally:
        supervisor.stop()
    held = _held(folder / "gallery", model, galleries)
    return Run(account, records, letters, faults, entries, enrolled, held)


def read(kafka: KafkaSettings, topics: Sequence[str]) -> list[Record]:
    """Return everything that some topics hold."""
    found: list[Record] = []
    with TopicReader(kafka, topics, from_beginning=True) as feed:
        while more := feed.poll(2.0):
            found += more
    return found


def _await_enrolments(supervisor: Supervisor, kafka: KafkaSettings) -> None:
    while backlog.read(kafka).lag["lookup"]:
        supervisor.tick()


def _enrolled(ledger: Ledger, gallery: str) -> dict[int, str]:
    last = ledger.count(gallery, "enrolments")
    return {
        enrolment.number: enrolment.sighting_id
        for chunk in ledger.between(gallery, 0, last)
        for enrolment, _ in chunk
    }


def _held(folder: Path, model: str, names: Sequence[str]) -> dict[str, dict[int, str]]:
    with closing(EdgeGalleries(GallerySettings(path=str(folder)))) as galleries:
        gallery = galleries.open(model)
        anywhere = np.full(DIMENSION, DIMENSION**-0.5, dtype=np.float32)
        [*answers] = gallery.search(
            [
                Query(collection_of(name, gallery.mark(name).epoch), "", anywhere, None)
                for name in names
            ],
            10_000,
        )
        return {
            name: {each.enrolment_number: each.sighting_id for each in answer}
            for name, answer in zip(names, answers, strict=True)
        }


class Poisoner:
    """Publishes poison samples in turn, a few whenever it is asked, until all are out."""

    def __init__(self, count: int) -> None:
        self.waiting: list[Sample] = list(islice(cycle(samples()), count))

    def __call__(self, supervisor: Supervisor, account: Account) -> None:
        due = POISON_PUBLISHED * account.captures // CAPTURES_PUBLISHED
        sent = POISON_PUBLISHED - len(self.waiting)
        if sent >= due:
            return
        now, self.waiting = self.waiting[: due - sent], self.waiting[due - sent :]
        with closing(producer(supervisor.state.kafka())) as client:
            for _, value, headers in now:
                # The client refuses a record with neither key nor value.
                client.send(CAPTURES, value, b"poisoned-camera", list(headers.items())).get(30)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, encoder_file: Path) -> Path:
    """A folder with the encoder's file."""
    return with_encoder(tmp_path_factory.mktemp("stack"), encoder_file) / "models"


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Photograph]:
    """120 captures of drawn animals by day, all of one deployment: one partition, one order."""
    folder = tmp_path_factory.mktemp("drawn")
    draw(
        folder,
        individuals=60,
        sightings=9.0,
        seed=11,
        species=["drawn leopard", "drawn cheetah"],
        hours=DAYLIGHT,
    )
    by_day = [
        each
        for each in read_catalogue([folder]).labelled(deployment="waterhole").photographs
        if each.captured_at and each.captured_at.hour in DAYLIGHT
    ]
    assert len(by_day) >= CAPTURES_PUBLISHED
    return by_day[:CAPTURES_PUBLISHED]


@pytest.fixture(scope="session")
def calm(
    photographs: Sequence[Photograph], models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """The undisturbed run, with poison among the captures."""
    return run(photographs, tmp_path_factory.mktemp("calm"), models, Poisoner(POISON_PUBLISHED))
