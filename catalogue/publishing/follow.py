"""Publishes photographs and waits for the outcome of every sighting."""

import time
from collections.abc import Callable, Sequence

from google.protobuf.message import DecodeError

from catalogue.publishing.account import Account
from catalogue.publishing.captures import publish
from catalogue.reading.catalogue import Photograph, Skipped
from shared.kafka.epochs import LatestEpoch
from shared.kafka.topic_reader import TopicReader
from shared.kafka.topics import DECISIONS, dead_letter_topics
from shared.labels import LabelSettings
from shared.messages import Decision
from shared.settings import KafkaSettings
from shared.stage import dead_letters

_POLL_SECONDS = 0.2


def publish_and_follow(
    kafka: KafkaSettings,
    photographs: Sequence[Photograph],
    attend: Callable[[Account], None],
    patience_seconds: float,
    identified_by: str = "",
    *,
    labels: LabelSettings | None = None,
) -> Account:
    """Return the outcome of the photographs' sightings.

    With `identified_by` their identities are published too, in that name and signed. It stops when
    nothing arrives for `patience_seconds`; then `Account.missing` is not empty. `attend` is called
    several times a second to show progress.

    Raises:
        Transient: the broker does not respond.
    """
    # Earlier decisions are published again; for catalogues these count, because a picture may have
    # been decided in another gallery, or before it had a name.
    heard = [DECISIONS, *dead_letter_topics()]
    with TopicReader(kafka, heard, from_beginning=not identified_by) as reader:
        account, latest = Account(began=time.monotonic()), LatestEpoch()
        for published in publish(kafka, photographs, identified_by, labels):
            if isinstance(published, Skipped):
                account.skipped.append(published)
                continue
            account.publish(published, time.monotonic())
            attend(account)
        while account.missing and time.monotonic() - account.last_news < patience_seconds:
            _hear(reader, account, latest)
            attend(account)
    return account


def _hear(reader: TopicReader, account: Account, latest: LatestEpoch) -> None:
    for record in reader.poll(_POLL_SECONDS):
        now = time.monotonic()
        try:
            if record.topic == DECISIONS:
                decision = Decision.FromString(record.value or b"")
                if latest.counts(decision.epoch):  # else from before a restore
                    account.decide(decision, now)
            else:
                account.lose(dead_letters.decode(record, replayed=False), now)
        except (DecodeError, ValueError):
            continue  # a foreign record
