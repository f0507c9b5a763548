"""Kafka clients with the guarantees this system needs.

Everything here has a timeout. kafka-python computes checksums in Python, at
8 MB/s, unless the package `crc32c` is installed; photographs need it.
"""

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka import errors as kafka_errors
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from shared.errors import Transient
from shared.kafka.record_batches import TolerantRecords, Unreadable
from shared.kafka.topics import is_dead_letters
from shared.records import Record
from shared.settings import KafkaSettings

MEBIBYTE = 1024 * 1024

# A capture carries up to 32 MiB of image and its metadata.
MESSAGE_BYTES = 33 * MEBIBYTE

# The topic's limit rejects larger messages. The embedded broker has no limit, and a message that
# the client refuses would be fetched again for ever, so everything a producer can send is received
# and then dead-lettered.
RECEIVED_BYTES = 1100 * MEBIBYTE

# A dead letter has additional headers, so its topic accepts more.
DEAD_LETTER_BYTES = MESSAGE_BYTES + MEBIBYTE

# A member that does not poll for this long loses its partitions. The same for all services, because
# a rebalance waits this long for its slowest member.
POLL_LIMIT_SECONDS = 300.0

# Well below the drain time after SIGTERM.
CONNECT_SECONDS = 3.0

# Not marked retriable by the client, but solved by a new client or time: an expired producer
# session, an internal broker error.
_PASSING = (
    kafka_errors.BrokerNotAvailableError,
    kafka_errors.InvalidProducerEpochError,
    kafka_errors.OutOfOrderSequenceNumberError,
    kafka_errors.UnknownError,
    kafka_errors.UnknownProducerIdError,
)


@contextmanager
def broker_errors(doing: str) -> Iterator[None]:
    """Turn temporary client errors into Transient.

    Others, such as a refused authorisation, pass through and are crashes.
    """
    try:
        yield
    except KafkaError as error:
        if error.retriable or isinstance(error, _PASSING):
            raise Transient(f"{doing} failed: {error}") from error
        raise


def consumer(kafka: KafkaSettings, group: str, *, max_bytes: int = MESSAGE_BYTES) -> KafkaConsumer:
    """Return a consumer without a subscription that never commits automatically.

    `max_bytes` bounds what one fetch brings; a single larger message still comes.

    Raises:
        Transient: no broker answers.
    """
    session = _ms(kafka.session_timeout_seconds)
    with _connecting("a consumer", kafka) as connection:
        client = KafkaConsumer(
            **_common(kafka, f"resight-{group}"),
            group_id=group,
            group_instance_id=kafka.instance_id or None,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            metrics_enabled=False,
            allow_auto_create_topics=False,
            session_timeout_ms=session,
            heartbeat_interval_ms=min(3000, session // 3),
            max_poll_interval_ms=_ms(POLL_LIMIT_SECONDS),
            fetch_max_bytes=max_bytes,
            max_partition_fetch_bytes=MESSAGE_BYTES,
            receive_message_max_bytes=RECEIVED_BYTES,
            # Aborted transactions are skipped.
            isolation_level="read_committed",
            kafka_client=connection,
        )
    client._fetcher.PartitionRecords = TolerantRecords  # noqa: SLF001 - there is no public way
    return client


def producer(kafka: KafkaSettings, client: str = "producer") -> KafkaProducer:
    """Return an idempotent producer with acks from all in-sync replicas.

    It does not compress: photographs and float vectors hardly shrink.

    Raises:
        Transient: no broker answers.
    """
    with _connecting("a producer", kafka) as connection:
        return KafkaProducer(
            **_common(kafka, f"resight-{client}"),
            acks="all",
            enable_idempotence=True,
            metrics_enabled=False,
            batch_size=kafka.producer_batch_bytes,
            max_request_size=DEAD_LETTER_BYTES,
            max_block_ms=_ms(kafka.request_timeout_seconds),
            delivery_timeout_ms=_ms(delivery_seconds(kafka)),
            kafka_client=connection,
        )


def delivery_seconds(kafka: KafkaSettings) -> float:
    """Return the delivery timeout of one record: two requests."""
    return 2 * kafka.request_timeout_seconds


def admin(kafka: KafkaSettings) -> KafkaAdminClient:
    """Return a client that manages topics and groups.

    Raises:
        Transient: no broker answers.
    """
    with _connecting("an admin client", kafka) as connection:
        return KafkaAdminClient(
            **_common(kafka, "resight-admin"),
            kafka_client=connection,
        )


def ensure_topics(kafka: KafkaSettings, names: Sequence[str], partitions: int) -> None:
    """Create the topics that do not exist yet and wait until they can be used.

    An existing topic keeps its partitions: more would move keys and break their order.

    Raises:
        Transient: no broker answers, or the topics are not ready in time.
    """
    client = admin(kafka)
    try:
        with broker_errors("creating topics"):
            wanted = {
                name: {
                    "num_partitions": partitions,
                    "configs": {"max.message.bytes": str(_limit(name))},
                }
                for name in names
            }
            answer = client.create_topics(wanted, raise_errors=False)
            for topic in answer["topics"]:
                error = kafka_errors.for_code(topic["error_code"])
                if error not in (kafka_errors.NoError, kafka_errors.TopicAlreadyExistsError):
                    raise error(f"topic {topic['name']}: {topic['error_message']}")
            client.wait_for_topics(names, timeout_ms=_ms(kafka.request_timeout_seconds))
    finally:
        client.close()


def _limit(topic: str) -> int:
    return DEAD_LETTER_BYTES if is_dead_letters(topic) else MESSAGE_BYTES


def as_record(raw: Any) -> Record:
    """Return one record of the client without the client's types."""
    headers = {name: value or b"" for name, value in raw.headers}
    fault = raw.fault if isinstance(raw, Unreadable) else ""
    place = (raw.topic, raw.partition, raw.offset)
    return Record(*place, raw.key, raw.value, raw.timestamp, headers, fault)


def _common(kafka: KafkaSettings, client: str) -> dict[str, Any]:
    return {
        "security_protocol": kafka.security,
        "ssl_cafile": _path(kafka.ca_file),
        "ssl_certfile": _path(kafka.certificate_file),
        "ssl_keyfile": _path(kafka.key_file),
        "sasl_mechanism": kafka.sasl_mechanism if kafka.security.startswith("SASL") else None,
        "sasl_plain_username": kafka.username or None,
        "sasl_plain_password": kafka.password.get_secret_value() or None,
        "bootstrap_servers": kafka.bootstrap_servers.split(","),
        "client_id": client,
        "request_timeout_ms": _ms(kafka.request_timeout_seconds),
        "bootstrap_timeout_ms": _ms(min(CONNECT_SECONDS, kafka.request_timeout_seconds)),
    }


@contextmanager
def _connecting(what: str, kafka: KafkaSettings) -> Iterator[Callable[..., KafkaNetClient]]:
    """Yield a factory for a client's connection.

    A client whose constructor fails leaks its IO thread and sockets, so retries against an
    unreachable broker would add up.
    """
    made = []

    def make(**configs: Any) -> KafkaNetClient:
        made.append(KafkaNetClient(**configs))
        return made[-1]

    if kafka.security.endswith("SSL"):
        # The client leaks the sockets of failed handshakes in reference cycles; collect those of
        # the previous attempt, or an idle service runs out of sockets.
        gc.collect()
    with _causes() as causes:
        try:
            with broker_errors(f"connecting {what} (see RESIGHT_KAFKA_BOOTSTRAP_SERVERS)"):
                yield make
        except BaseException as error:
            for connection in made:
                connection.close()
            if isinstance(error, Transient) and causes:
                raise Transient(f"{error}; causes: {'; '.join(dict.fromkeys(causes))}") from error
            raise


@contextmanager
def _causes() -> Iterator[list[str]]:
    """Collect why connections failed (certificate, password); the client only logs it."""
    found: list[str] = []
    listener = logging.Handler(logging.WARNING)
    listener.emit = lambda record: found.extend(_errors(record))  # type: ignore[method-assign]
    client = logging.getLogger("kafka.net.manager")
    client.addHandler(listener)
    try:
        yield found
    finally:
        client.removeHandler(listener)


def _errors(record: logging.LogRecord) -> list[str]:
    told = record.args if isinstance(record.args, tuple) else ()
    return [str(each) for each in told if isinstance(each, Exception)]


def _path(file: Path | None) -> str | None:
    return None if file is None else str(file)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
