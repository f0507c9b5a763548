"""A ledger that has lost what it wrote does not serve, and says which command mends it."""

from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest
from google.protobuf.message import Message
from typer.testing import CliRunner

from resight.ledger_tools.consistency import published, topic_faults
from resight.main import app
from services.registry.ledger.epoch import EPOCH, new_epoch
from services.registry.ledger.keys import key
from services.registry.ledger.ledger import Ledger
from services.registry.outbox.broker import Broker
from services.registry.outbox.continuity import BehindError, Continuity
from shared.errors import Poison
from shared.kafka.topics import ALL
from shared.messages import CandidateList, Decision
from shared.settings import KafkaSettings
from tests.integration.services.registry.review.test_reviewer import decide
from tests.support.queries import ledger_at, matches, registry, sighting
from tests.support.servers.service_process import own_broker

RUN = CliRunner()


class Story:
    """A ledger of one gallery, published as the registry does, to a broker of all tests."""

    def __init__(self, ledger: Ledger, kafka: KafkaSettings) -> None:
        self.ledger, self.kafka = ledger, kafka
        self.gallery = f"default/kind-{uuid4().hex[:8]}"

    def decide(self, *names: str) -> None:
        for name in names:
            decide(self.ledger, f"{name} {self.gallery}", gallery=self.gallery)

    def publish(self, first: int = 1) -> None:
        with closing(Broker(self.kafka)) as broker:
            entries = [
                each for each in self.ledger.entries(self.gallery) if each.decision.number >= first
            ]
            receipts = broker.publish([item for each in entries for item in each.messages()])
        registry(self.ledger).acknowledged(receipts)

    def snapshot(self) -> dict[str, bytes]:
        store = self.ledger.store
        return {name.decode(): store.run("DUMP", name) for name in store.run("KEYS", "resight:*")}

    def back_to(self, snapshot: dict[str, bytes]) -> None:
        """Lose what was written since, as a file does that is cut off."""
        self.ledger.store.run("FLUSHALL")
        for name, dumped in snapshot.items():
            self.ledger.store.run("RESTORE", name, 0, dumped)
        self.ledger.load()


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    """A broker without other tests' records, some of which have no epoch either."""
    with own_broker(tmp_path_factory.mktemp("kafka"), *ALL, partitions=2) as settings:
        yield settings


@pytest.fixture
def story(ledger_url: str, kafka: KafkaSettings) -> Story:
    ledger = ledger_at(ledger_url)
    ledger.begin()
    return Story(ledger, kafka)


def begin(story: Story) -> None:
    Continuity(story.ledger, story.kafka).begin()


def test_a_ledger_that_has_all_it_wrote_begins(story: Story) -> None:
    story.decide("a", "b")
    begin(story)
    story.publish()
    begin(story)


def test_entries_carry_the_epoch_in_which_they_count(story: Story) -> None:
    story.decide("a")
    [entry] = story.ledger.entries(story.gallery)
    epoch = story.ledger.begin()
    assert len(epoch) > 20
    assert entry.decision.epoch == epoch
    assert entry.enrolment is not None
    assert entry.enrolment.epoch == epoch
    later = story.ledger.renew()
    assert later > epoch
    [again] = story.ledger.entries(story.gallery)
    assert again.decision.epoch == later


def test_epochs_are_ordered_however_the_clock_goes() -> None:
    first = new_epoch(now=2e9)
    assert new_epoch(after=first, now=1e9) > first > new_epoch(now=1.9e9)
    assert first > ""


@pytest.mark.parametrize("more", [(), ("x", "y", "z")])
def test_one_whose_file_was_cut_off_does_not_serve(story: Story, more: tuple[str, ...]) -> None:
    story.decide("a", "b")
    story.publish()
    before = story.snapshot()
    story.decide("c", "d")
    story.publish(3)
    story.back_to(before)
    story.decide(*more)  # numbers that were given before
    with pytest.raises(BehindError, match="ledger renew") as refused:
        begin(story)
    assert story.gallery in str(refused.value)
    faults = list(topic_faults(story.ledger, story.gallery, *published(story.kafka)))
    expected = "for another sighting too" if more else "not in the ledger, which ends at 2"
    assert sum(expected in each for each in faults) == 4  # two decisions, two enrolments


def test_one_that_lost_a_whole_gallery_does_not_serve(story: Story) -> None:
    before = story.snapshot()
    story.decide("a")
    story.publish()
    story.back_to(before)
    with pytest.raises(BehindError, match="has 0"):
        begin(story)


def test_a_new_epoch_mends_it(story: Story, ledger_url: str) -> None:
    story.decide("a", "b")
    story.publish()
    before = story.snapshot()
    story.decide("c")
    story.publish(3)
    story.back_to(before)
    mended = RUN.invoke(app, ["ledger", "renew", "--ledger-url", ledger_url])
    assert mended.exit_code == 0, mended.output
    story.ledger = ledger_at(ledger_url)
    begin(story)
    story.decide("x")
    story.publish()
    begin(story)
    assert list(topic_faults(story.ledger, story.gallery, *published(story.kafka))) == []


def test_what_fails_over_to_an_empty_ledger_gets_a_new_epoch(story: Story) -> None:
    story.decide("a")
    story.publish()
    old = story.ledger.begin()
    story.back_to({})
    begin(story)
    assert story.ledger.begin() > old
    story.decide("b")
    [entry] = story.ledger.entries(story.gallery)
    assert entry.decision.epoch == story.ledger.begin()


def test_a_ledger_of_an_earlier_version_goes_on_in_no_epoch(story: Story) -> None:
    story.decide("a")
    story.ledger.store.run("DEL", EPOCH)
    story.ledger.store.run("HDEL", key(story.gallery, "counters"), "epoch")
    story.publish()
    begin(story)
    assert story.ledger.begin() == ""
    [entry] = story.ledger.entries(story.gallery)
    assert entry.decision.epoch == ""


def test_the_registry_looks_again_when_the_server_is_another_one(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    continuity = Continuity(story.ledger, story.kafka)
    continuity.begin()
    monkeypatch.setattr(Continuity, "begin", lambda _: looked.append("again"))
    continuity.watch()
    assert looked == []
    story.ledger.store.run("SET", EPOCH, "another")
    continuity.watch()
    assert looked == ["again"]


def test_evidence_of_another_epoch_is_not_taken_for_this_one_s(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    epoch = ledger.begin()
    decide(ledger, "a")

    def handled(epoch: str) -> list[Message]:
        [result] = registry(ledger).handle([matches(sighting("b"), watermark=1, epoch=epoch)])
        assert not isinstance(result, Poison)
        return [*result]

    [following] = handled("of before")
    assert isinstance(following, CandidateList)
    assert [each.sighting_id for each in following.candidates] == ["a"]
    assert following.epoch == epoch
    assert isinstance(handled(epoch)[0], Decision)
