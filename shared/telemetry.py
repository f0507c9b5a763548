"""Metrics of the stage loop: a closed list, each with what it is for.

A service's own metrics stand in its own modules, prefixed `resight_` too.
"""

from prometheus_client import Counter, Gauge, Histogram

# From a millisecond (a lookup) to the five minutes after which Kafka gives a member up.
SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

# Throughput in; a message that comes again after a crash or a rebalance counts again.
CONSUMED = Counter("resight_messages_consumed_total", "Messages handled.", ["service", "topic"])
# Throughput out; counted when the broker has taken them.
PRODUCED = Counter(
    "resight_messages_produced_total", "Messages that the broker took.", ["service", "topic"]
)
# Alert on any increase: each is work for a person.
DEAD_LETTERS = Counter(
    "resight_dead_letters_total", "Messages given up.", ["service", "topic", "kind"]
)
# 1 while a service keeps what it can't handle, since that is too much to be given up. Page someone.
LETTERS_STOPPED = Gauge(
    "resight_dead_letters_stopped", "Whether too much would be given up.", ["service"]
)
# From the poll that brought a batch to its commit, waiting for dependencies included.
BATCH_SECONDS = Histogram(
    "resight_batch_seconds", "Time from poll to commit.", ["service"], buckets=SECONDS
)
# The service's own share of that, each attempt by itself.
HANDLE_SECONDS = Histogram(
    "resight_handle_seconds", "Time in the service's handler.", ["service"], buckets=SECONDS
)
# Attempts that failed because a dependency, or the broker, was away.
TRANSIENT_ERRORS = Counter(
    "resight_transient_errors_total", "Attempts that will be made again.", ["service"]
)
# Many in a row mean that members come and go, or that batches take too long.
REBALANCES = Counter("resight_rebalances_total", "Times that the assignment changed.", ["service"])
# Bounded by RESIGHT_STAGE_MAX_BYTES, but for a single larger message.
IN_FLIGHT_BYTES = Gauge("resight_in_flight_bytes", "Bytes of the messages in hand.", ["service"])
# A client that stopped fetching and was built anew; should stay 0.
STALLS = Counter("resight_stalls_total", "Kafka clients built anew after a stall.", ["service"])
# What waits in the partitions of this replica; refreshed every few seconds.
LAG = Gauge("resight_lag", "Messages that wait.", ["service", "topic"])
# 1 when /readyz would answer 200.
READY = Gauge("resight_ready", "Whether the service takes work.", ["service"])
