"""Another model takes over: what is enrolled is embedded anew, and published under its number."""

from collections.abc import Sequence
from pathlib import Path

from google.protobuf.message import Message

from resight.ledger_tools.reembed import outdated, reembed
from services.embedder.service import EmbedderService
from services.registry.ledger.ledger import Ledger
from shared.blobs import BlobStore
from shared.messages import Capture, Enrolment, Sighting
from tests.support.embedder_bench import Place, sightings
from tests.support.queries import ledger_at, matches, registry
from tests.support.samples.model_files import tiny_model
from tests.support.samples.pictures import photograph


class Topic:
    """What was published, in order; fails from the given message on."""

    def __init__(self, takes: int = 10**6) -> None:
        self.taken: list[Message] = []
        self._takes = takes

    def publish(self, messages: Sequence[Message]) -> None:
        if len(self.taken) + len(messages) > self._takes:
            raise ConnectionError("the broker went away")
        self.taken += messages


class Herd:
    """Enrolled sightings, and two models of them in one folder."""

    def __init__(self, ledger_url: str, folder: Path, count: int) -> None:
        self.place = Place(folder)
        tiny_model(self.place.model)
        first = self.place.service()
        captures = [Capture(inline=photograph(seed=seed), species="zebra") for seed in range(count)]
        self.sightings: list[Sighting] = sightings(first, *captures)
        self.ledger: Ledger = ledger_at(ledger_url)
        service = registry(self.ledger)
        for number, each in enumerate(self.sightings):
            service.handle([matches(each, watermark=number)])
        self.gallery = self.sightings[0].gallery
        self.crops: BlobStore = self.place.crops
        tiny_model(self.place.model, version="v2")
        self.second: EmbedderService = self.place.service()

    def stored(self) -> list[Enrolment]:
        count = len(self.sightings)
        return [each for chunk in self.ledger.between(self.gallery, 0, count) for each, _ in chunk]


def test_every_enrolment_gets_the_new_model_and_keeps_its_number(
    ledger_url: str, tmp_path: Path
) -> None:
    herd = Herd(ledger_url, tmp_path, 3)
    topic = Topic()
    assert len(list(outdated(herd.ledger, herd.gallery, herd.second.model))) == 3
    done = list(reembed(herd.ledger, herd.gallery, herd.second, herd.crops, topic.publish))
    assert done == [(3, [])]
    assert topic.taken == herd.stored()
    assert [each.number for each in herd.stored()] == [1, 2, 3]
    assert {each.embedding.model.version for each in herd.stored()} == {"v2"}
    assert list(outdated(herd.ledger, herd.gallery, herd.second.model)) == []
    entries = [each.enrolment for each in herd.ledger.entries(herd.gallery)]
    assert entries == herd.stored()


def test_what_is_interrupted_goes_on_the_next_time(ledger_url: str, tmp_path: Path) -> None:
    herd = Herd(ledger_url, tmp_path, 2)
    try:
        list(reembed(herd.ledger, herd.gallery, herd.second, herd.crops, Topic(takes=0).publish))
    except ConnectionError:
        pass
    else:
        raise AssertionError("it went on without a broker")
    assert {each.embedding.model.version for each in herd.stored()} == {"v1"}
    list(reembed(herd.ledger, herd.gallery, herd.second, herd.crops, Topic().publish))
    assert {each.embedding.model.version for each in herd.stored()} == {"v2"}


def test_a_sighting_whose_crop_is_gone_keeps_its_embedding_and_is_named(
    ledger_url: str, tmp_path: Path
) -> None:
    herd = Herd(ledger_url, tmp_path, 2)
    gone = herd.sightings[0]
    (tmp_path / "crops" / gone.crop.key).unlink()
    topic = Topic()
    [(done, [reason])] = reembed(herd.ledger, herd.gallery, herd.second, herd.crops, topic.publish)
    assert (done, len(topic.taken)) == (1, 1)
    assert reason.startswith(gone.sighting_id)
    assert [each.embedding.model.version for each in herd.stored()] == ["v1", "v2"]
