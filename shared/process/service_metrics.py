"""Metrics of every service: consume loop, dead letters, clients."""

from typing import get_args

from shared.errors import PoisonKind
from shared.kafka.topics import ALL, INPUTS, OUTPUTS
from shared.process.metrics import counter, gauge, histogram

_SERVICES = tuple(INPUTS)
_KINDS = get_args(PoisonKind)

CONSUMED = counter(
    "resight_stage_messages_consumed_total",
    "Messages handled and committed. Redelivered messages count again.",
    service=_SERVICES,
    topic=ALL,
)
PRODUCED = counter(
    "resight_stage_messages_produced_total",
    "Messages acknowledged by the broker.",
    service=_SERVICES,
    topic=ALL,
)
DEAD_LETTERS = counter(
    "resight_stage_dead_letters_total",
    "Messages dead-lettered, by kind. Each needs a person's attention.",
    service=_SERVICES,
    topic=ALL,
    kind=_KINDS,
)
LETTERS_STOPPED = gauge(
    "resight_stage_dead_letters_stopped",
    "1 while a service has stopped because too many messages would be dead-lettered. Page someone.",
    service=_SERVICES,
)
WAITED_SECONDS = histogram(
    "resight_stage_wait_seconds",
    "Time from a message's publication to its consumption.",
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400),
    service=_SERVICES,
)
BATCH_SECONDS = histogram(
    "resight_stage_batch_seconds",
    "Time from poll to commit of a batch, including waits for dependencies.",
    service=_SERVICES,
)
HANDLE_SECONDS = histogram(
    "resight_stage_handle_seconds",
    "Time a service spends handling a batch, per attempt.",
    service=_SERVICES,
)
TRANSIENT_ERRORS = counter(
    "resight_stage_transient_errors_total",
    "Retries because a dependency or the broker was unavailable.",
    service=_SERVICES,
)
REBALANCES = counter(
    "resight_stage_rebalances_total",
    "Rebalances. Many in a row: members restart, or batches take too long.",
    service=_SERVICES,
)
IN_FLIGHT_BYTES = gauge(
    "resight_stage_in_flight_bytes",
    "Bytes of the current batch; at most 64 MiB, except for a single larger message.",
    service=_SERVICES,
)
STALLS = counter(
    "resight_stage_stalls_total",
    "Kafka clients recreated because they stopped fetching; should stay 0.",
    service=_SERVICES,
)
LAG = gauge(
    "resight_stage_lag_messages",
    "Messages waiting in this replica's partitions, updated every 15 s.",
    service=_SERVICES,
    topic=ALL,
)
READY = gauge("resight_stage_ready", "1 when /readyz returns 200.", service=_SERVICES)


def begin(service: str) -> None:
    """Start a service's counters at 0, so that the first increase is visible."""
    for topic in INPUTS.get(service, ()):
        CONSUMED.labels(service, topic)
        LAG.labels(service, topic)
        for kind in _KINDS:
            DEAD_LETTERS.labels(service, topic, kind)
    for topic in OUTPUTS.get(service, ()):
        PRODUCED.labels(service, topic)
    for one in (LETTERS_STOPPED, TRANSIENT_ERRORS, REBALANCES, IN_FLIGHT_BYTES, STALLS):
        one.labels(service)
