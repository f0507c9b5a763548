"""Topics and vectors are compared with the ledger, and what they lack is named."""

from contextlib import closing
from pathlib import Path
from uuid import uuid4

from resight.ledger_tools.consistency import published, topic_faults, vector_faults
from services.lookup.galleries.edge import EdgeGalleries
from services.lookup.service import LookupService
from services.lookup.settings import GallerySettings, LookupSettings
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.receipts import Acknowledgement
from services.registry.outbox.broker import Broker
from shared.kafka.clients import ensure_topics
from shared.kafka.topics import ALL
from shared.settings import KafkaSettings
from tests.integration.services.registry.review.test_reviewer import decide
from tests.support.queries import ledger_at


def taken(ledger: Ledger, gallery: str) -> None:
    """Count every entry as one that the broker has."""
    numbers = tuple(range(1, ledger.count(gallery, "entries") + 1))
    ledger.acknowledge(gallery, Acknowledgement(numbers, ()))


def test_what_the_topics_lack_or_hold_otherwise_is_named(
    ledger_url: str, kafka: KafkaSettings
) -> None:
    ensure_topics(kafka, ALL, 2)
    ledger, gallery = ledger_at(ledger_url), f"default/kind-{uuid4().hex[:8]}"
    for name in ("a", "b", "c"):
        decide(ledger, f"{name} {gallery}", gallery=gallery)
    first, second, third = ledger.entries(gallery)
    assert list(topic_faults(ledger, gallery, {}, {})) == []  # all wait in the outbox
    forged = type(second.decision)()
    forged.CopyFrom(second.decision)
    forged.individual = "somebody else"
    assert second.enrolment is not None
    with closing(Broker(kafka)) as broker:
        broker.publish([*first.messages(), forged, second.enrolment, third.decision])
    taken(ledger, gallery)
    faults = list(topic_faults(ledger, gallery, *published(kafka)))
    assert [fault.partition(";")[0] for fault in faults] == [
        "decision 2 is on its topic with different content",
        "enrolment 3 is not on its topic",
    ]


def test_what_lookup_can_t_find_is_named(ledger_url: str, tmp_path: Path) -> None:
    ledger, gallery = ledger_at(ledger_url), "default/plains-zebra"
    for name in "ab":
        decide(ledger, name)
    settings = GallerySettings(kind="edge", path=str(tmp_path))
    with closing(EdgeGalleries(settings)) as galleries:
        lookup = LookupService(galleries, LookupSettings(), sent=lambda _: None)
        [one, other] = [entry.enrolment for entry in ledger.entries(gallery) if entry.enrolment]
        lookup.handle([one])
        [fault] = vector_faults(ledger, gallery, galleries)
        assert "lack enrolment 2" in fault
        lookup.handle([other])
        assert list(vector_faults(ledger, gallery, galleries)) == []
