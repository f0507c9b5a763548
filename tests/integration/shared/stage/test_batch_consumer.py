"""A partition that was held back delivers again, although others were read meanwhile."""

from shared.environment import load
from shared.kafka.clients import ensure_topics, producer
from shared.settings import KafkaSettings
from shared.stage.batch_consumer import BatchConsumer
from tests.support.waiting import wait_until

HELD, OTHER = "pause.held", "pause.other"


def test_a_held_topic_delivers_everything_once_it_is_let_go(kafka_broker: str) -> None:
    changes = {"bootstrap_servers": kafka_broker, "producer_batch_bytes": 0}
    kafka = load(KafkaSettings).model_copy(update={**changes, "session_timeout_seconds": 6})
    ensure_topics(kafka, [HELD, OTHER], 1)
    client = producer(kafka)
    for number in range(30):
        client.send(HELD, str(number).encode())
    client.flush()
    client.close()
    consumer = BatchConsumer(
        kafka, "pause", [HELD, OTHER], max_messages=8, max_bytes=2**20, max_crashes=3
    )
    consumer.open()
    seen: list[int] = []

    def all_taken() -> bool:
        nonlocal seen
        batch = consumer.take(frozenset(), 0.25)
        if batch:
            seen += [int(delivery.record.value or b"") for delivery in batch]
            assert consumer.commit(batch)
            for _ in range(3):
                assert consumer.take(frozenset({HELD}), 0.1) == []
        return len(seen) == 30

    wait_until(all_taken, told=lambda: str(seen))
    consumer.close()
    assert seen == list(range(30))
