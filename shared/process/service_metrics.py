"""What every service measures: its consume loop, its letters, its clients."""

from typing import get_args

from shared.errors import PoisonKind
from shared.kafka.topics import ALL, INPUTS, OUTPUTS
from shared.process.metrics import counter, gauge, histogram

_SERVICES = tuple(INPUTS)
_KINDS = get_args(PoisonKind)

CONSUMED = counter(
    "resight_stage_messages_consumed_total",
    "Messages handled and committed. One that comes again after a crash counts again.",
    service=_SERVICES,
    topic=ALL,
)
PRODUCED = counter(
    "resight_stage_messages_produced_total",
    "Messages that the broker took.",
    service=_SERVICES,
    topic=ALL,
)
DEAD_LETTERS = counter(
    "resight_stage_dead_letters_total",
    "Messages given up, by what is wrong with them. Each is work for a person.",
    service=_SERVICES,
    topic=ALL,
    kind=_KINDS,
)
LETTERS_STOPPED = gauge(
    "resight_stage_dead_letters_stopped",
    "1 while a service keeps what it can't handle, as it is too much to be given up. Page someone.",
    service=_SERVICES,
)
WAITED_SECONDS = histogram(
    "resight_stage_wait_seconds",
    "Time that a message lay on its topic before this service took it.",
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400),
    service=_SERVICES,
)
BATCH_SECONDS = histogram(
    "resight_stage_batch_seconds",
    "From the poll that brought a batch to its commit, waiting for dependencies included.",
    service=_SERVICES,
)
HANDLE_SECONDS = histogram(
    "resight_stage_handle_seconds",
    "The service's own share of that, each attempt by itself.",
    service=_SERVICES,
)
TRANSIENT_ERRORS = counter(
    "resight_stage_transient_errors_total",
    "Attempts that will be made again, since a dependency or the broker was away.",
    service=_SERVICES,
)
REBALANCES = counter(
    "resight_stage_rebalances_total",
    "Times that the assignment changed. Many in a row: members come and go, or batches take too "
    "long.",
    service=_SERVICES,
)
IN_FLIGHT_BYTES = gauge(
    "resight_stage_in_flight_bytes",
    "Bytes of the messages in hand, at most RESIGHT_STAGE_MAX_BYTES but for one larger message.",
    service=_SERVICES,
)
STALLS = counter(
    "resight_stage_stalls_total",
    "Kafka clients built anew since they had stopped fetching; should stay 0.",
    service=_SERVICES,
)
LAG = gauge(
    "resight_stage_lag_messages",
    "Messages that wait in the partitions of this replica, as of the last quarter of "
    "RESIGHT_STAGE_STALL_SECONDS: 15 s.",
    service=_SERVICES,
    topic=ALL,
)
READY = gauge(
    "resight_stage_ready", "1 when /readyz answers 200: the service takes work.", service=_SERVICES
)


def begin(service: str) -> None:
    """Begin a service's counters at 0, so that the first increase is one."""
    for topic in INPUTS.get(service, ()):
        CONSUMED.labels(service, topic)
        LAG.labels(service, topic)
        for kind in _KINDS:
            DEAD_LETTERS.labels(service, topic, kind)
    for topic in OUTPUTS.get(service, ()):
        PRODUCED.labels(service, topic)
    for one in (LETTERS_STOPPED, TRANSIENT_ERRORS, REBALANCES, IN_FLIGHT_BYTES, STALLS):
        one.labels(service)
