"""The consume loop of all services: at least once, nothing lost, nothing skipped.

Each turn follows one protocol; the numbers are repeated in the code:

    1  poll a batch, bounded in messages and bytes
    2  note the records in hand in case the process dies; decode each: a record that can't be
       decoded, or has crashed the service too often, is poison
    3  the handler turns messages into results and applies its own writes
    4  send all results, and dead letters for poison, within their limit
    5  wait until the broker has acknowledged all of them
    6  pass the acknowledgements to the handler
    7  commit the offsets after the batch

A failure before 7 leaves the batch uncommitted, so it is redelivered, here or to another member of
the group. Transient in 3 to 6 means: pause all partitions, stay in the group, back off, and
continue with the same batch where it failed. If the group rebalances meanwhile, the batch is
dropped and positions return to the committed ones. An unreachable broker is retried in the same way
with a new client. Anything else ends the process.

If more than the limit would be dead-lettered, the service stops working: it stays alive and in the
group, is not ready, and leaves everything in place until it is restarted.
"""

import contextlib
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from google.protobuf.message import Message

from shared.errors import Poison, ResightError, Transient
from shared.kafka.clients import POLL_LIMIT_SECONDS
from shared.process import service_metrics as metrics
from shared.process.health import Health, HealthServer
from shared.process.shutdown import Shutdown
from shared.process.tracing import RecordSpan, Traces, traces
from shared.records import Decoder, Handler, Receipt, Result
from shared.settings import KafkaSettings, StageSettings, TelemetrySettings
from shared.stage import handling
from shared.stage.backoff import Backoff
from shared.stage.batch_consumer import BatchConsumer, Delivery
from shared.stage.dead_letter_limit import DeadLetterLimit
from shared.stage.result_producer import ResultProducer
from shared.stage.stall import StallWatch

M = TypeVar("M", bound=Message)

log = logging.getLogger(__name__)

# Short enough to notice a shutdown soon, long enough to cost nothing.
POLL_SECONDS = 0.25

# Stall checks per stall time.
LOOKS_PER_STALL = 4


class Stage(Generic[M]):
    """One service: runs its handler on the messages of its topics.

    `name` is the consumer group. `pace` returns, before each poll, the topics to pause; `rewind`
    those to read from their beginning, ignoring commits. `max_messages` is the service's default
    batch size. `prepare` runs once before consuming, with health already served; it may raise
    Transient, and reports its progress to its argument. `tracing` creates the spans, by default as
    configured.
    """

    def __init__(
        self,
        *,
        name: str,
        decoders: Mapping[str, Decoder[M]],
        handler: Handler[M],
        kafka: KafkaSettings,
        settings: StageSettings,
        telemetry: TelemetrySettings,
        pace: Callable[[], frozenset[str]] | None = None,
        rewind: Callable[[], frozenset[str]] | None = None,
        max_messages: int | None = None,
        prepare: Callable[[Callable[[str], None]], None] | None = None,
        tracing: Traces | None = None,
    ) -> None:
        self._name = name
        self._prepare = prepare
        self._decoders = decoders
        self._handler = handler
        self._settings = settings
        self._pace = pace
        self._rewind = rewind
        self._consumer = BatchConsumer(
            kafka,
            name,
            list(decoders),
            max_messages=settings.messages_or(max_messages),
            max_bytes=settings.max_bytes,
            max_crashes=settings.max_crashes,
        )
        self._letters = DeadLetterLimit(settings.dead_letter_count, settings.dead_letter_share)
        self._stopped = ""
        self._producer = ResultProducer(kafka, name)
        self._traces = tracing or traces(name, telemetry)
        self._backoff = Backoff(settings.backoff_seconds, settings.backoff_limit_seconds)
        self._attempts = 0
        self._shutdown = Shutdown(settings.drain_seconds)
        self._watch = StallWatch(settings.stall_seconds)
        self._waited = 0.0
        self._next_look = 0.0
        # Beyond the poll limit Kafka expels the member; up to it a slow batch is fine.
        self._health = Health(max(settings.stall_seconds, POLL_LIMIT_SECONDS), handler.ready)
        self._server = HealthServer(telemetry, self._health)

    @property
    def port(self) -> int:
        """The port of /metrics, /healthz and /readyz; 0 while it does not run."""
        return self._server.port

    def stop(self) -> None:
        """Make `run` finish the current batch and return. Callable from any thread."""
        self._shutdown.request()

    def run(self) -> None:
        """Run until SIGTERM, SIGINT or `stop`; signals only reach the main thread.

        Raises:
            DeadLetterError: a dead letter could not be written.
            SettingsError: the telemetry port can't be had.
            Exception: whatever else the handler or the client raised; a crash.
        """
        metrics.begin(self._name)
        metrics.READY.labels(self._name).set_function(lambda: not self._health.unready())
        with self._shutdown.signals():
            self._server.start()
            try:
                while not self._shutdown.requested:
                    self._run_while_broker_answers()
            finally:
                self._consumer.close()
                self._producer.close()
                self._server.stop()

    def _run_while_broker_answers(self) -> None:
        try:
            if self._prepare is not None:
                self._prepare(self._prepares)
                self._prepare = None
                self._recovered()
            self._consumer.open()
            self._watch.forget()
            while not self._shutdown.requested:
                self._turn()
        except Transient as error:
            self._consumer.close()
            self._shutdown.wait(self._pause_after(error))

    def _prepares(self, progress: str) -> None:
        self._health.turn()
        self._health.trouble = progress

    def _turn(self) -> None:
        self._health.turn()
        if self._stopped:
            self._health.trouble = self._stopped
            self._consumer.wait(POLL_SECONDS)
            self._health.joined = self._consumer.joined
            return
        self._look_for_stall()
        held = self._pace() if self._pace else frozenset()
        if topics := self._rewind() if self._rewind else frozenset():
            self._consumer.read_from_beginning(topics)
        began = time.monotonic()
        batch = self._consumer.take(held, POLL_SECONDS)  # 1
        self._waited += time.monotonic() - began
        self._health.joined = self._consumer.joined
        metrics.IN_FLIGHT_BYTES.labels(self._name).set(sum(delivery.size for delivery in batch))
        if batch:
            with metrics.BATCH_SECONDS.labels(self._name).time():
                self._process(batch)
        elif self._health.joined:
            self._recovered()

    def _process(self, batch: Sequence[Delivery]) -> None:
        taken_at = time.time()
        passages = self._traces.begin([delivery.record for delivery in batch])
        results: Sequence[Result] | None = None
        try:
            results = self._done(batch, passages)
        except ResightError:  # not the records' fault
            with contextlib.suppress(Transient):
                self._consumer.withdraw(batch)
            raise
        finally:
            for number, passage in enumerate(passages):
                passage.end(None if results is None else results[number])
        if results is None:
            return
        if self._consumer.commit(batch):  # 7
            for delivery in batch:
                metrics.CONSUMED.labels(self._name, delivery.record.topic).inc()
                waited = taken_at - delivery.record.timestamp_ms / 1000
                metrics.WAITED_SECONDS.labels(self._name).observe(max(0.0, waited))
        self._recovered()

    def _done(
        self, batch: Sequence[Delivery], passages: Sequence[RecordSpan]
    ) -> Sequence[Result] | None:
        """Take a batch through steps 2 to 6, each once, and return its results.

        None: it must be dropped.
        """
        decoded: list[M | Poison] = []
        results: list[Result] | None = None
        receipts: list[Receipt] | None = None
        while True:
            try:
                self._consumer.note(batch)  # 2
                decoded = decoded or [self._decoded(delivery) for delivery in batch]
                if results is None:
                    with metrics.HANDLE_SECONDS.labels(self._name).time():
                        results = handling.results(self._handler, decoded)  # 3
                    if self._too_much_given_up(results):
                        self._consumer.withdraw(batch)
                        return None
                if receipts is None:
                    receipts = self._publish(batch, results, passages)  # 4, 5
                self._handler.acknowledged(receipts)  # 6
                return results
            except Transient as error:
                self._consumer.withdraw(batch)
                for passage in passages:
                    passage.again(str(error))
                if not self._hold_on(self._pause_after(error)):
                    return None

    def _decoded(self, delivery: Delivery) -> M | Poison:
        condemned = self._consumer.condemned(delivery)
        return condemned or handling.decoded(delivery.record, self._decoders)

    def _publish(
        self, batch: Sequence[Delivery], results: Sequence[Result], passages: Sequence[RecordSpan]
    ) -> list[Receipt]:
        records = (delivery.record for delivery in batch)
        headers = (passage.headers for passage in passages)
        return self._producer.publish(list(zip(records, results, headers, strict=True)))

    def _too_much_given_up(self, results: Sequence[Result]) -> bool:
        self._stopped = self._letters.refusal([isinstance(each, Poison) for each in results])
        if self._stopped:
            log.error("%s; the last reason: %s", self._stopped, _last_reason(results))
            self._health.trouble = self._stopped
            metrics.LETTERS_STOPPED.labels(self._name).set(1)
        return bool(self._stopped)

    def _hold_on(self, seconds: float) -> bool:
        """Stay in the group for a while; False: the batch must be dropped."""
        until = time.monotonic() + seconds
        while not self._shutdown.requested:
            self._health.turn()
            if not self._consumer.wait(max(0.0, until - time.monotonic())):
                return False
            if time.monotonic() >= until:
                return True
        return False

    def _pause_after(self, error: Transient) -> float:
        """Record a failed attempt and return the seconds to wait; logs once per episode."""
        if self._attempts == 0:
            log.warning("retrying until it works: %s", error)
        metrics.TRANSIENT_ERRORS.labels(self._name).inc()
        self._health.trouble = str(error)
        chance = random.random()  # noqa: S311 - jitter is no secret
        delay = self._backoff.delay(self._attempts, chance)
        self._attempts += 1
        return delay

    def _recovered(self) -> None:
        if self._attempts:
            log.info("recovered after %d failed attempts", self._attempts)
        self._attempts = 0
        self._health.trouble = ""

    def _look_for_stall(self) -> None:
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + self._settings.stall_seconds / LOOKS_PER_STALL
        progress = self._consumer.progress()
        for topic in self._decoders:
            lag = sum(reading.lag for (name, _), reading in progress.items() if name == topic)
            metrics.LAG.labels(self._name, topic).set(lag)
        stalled = self._watch.observe(self._waited, progress)
        if stalled:
            log.error("partitions make no progress, creating a new client: %s", stalled)
            metrics.STALLS.labels(self._name).inc()
            self._watch.forget()
            self._consumer.close()
            self._consumer.open()


def _last_reason(results: Sequence[Result]) -> str:
    return next(each.reason for each in reversed(results) if isinstance(each, Poison))
