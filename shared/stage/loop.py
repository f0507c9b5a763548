"""The one consume loop: at least once, nothing lost, nothing skipped.

Each turn goes through one protocol, and the numbers come back in the code:

    1  poll a batch, bounded in messages and bytes
    2  note the records in hand, should the process end with them; decode each: what
       can't be decoded, or has ended too many crashes, is poison
    3  the handler turns messages into results; its own writes are applied
    4  send all results, and the dead letters of what was poison, unless too much is
    5  wait until the broker has taken all of them
    6  tell the handler what was taken
    7  commit the offsets after the batch

Whatever fails before 7 leaves the batch uncommitted, so it comes again, here or in another
member of the group. Transient in 3 to 6 means: pause all partitions, stay in the group,
back off, and go on with the same batch where it failed. When the group rebalances meanwhile, the
batch is dropped and positions go back to what is committed. A broker that is away is waited for
in the same way with a new client. Anything else ends the process.

Where more than a limit would be given up, the service stops: it stays in the group and
alive, is not ready, and keeps everything where it is until it is started again.
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

# Short enough for a shutdown to be noticed soon, long enough to cost nothing.
POLL_SECONDS = 0.25

# A stall is looked for so many times within the time that makes one.
LOOKS_PER_STALL = 4


class Stage(Generic[M]):
    """One service: what comes in on its topics goes through its handler.

    `name` is the consumer group. `pace` is asked before each poll for the topics that are to be
    held back now; the others go on. `rewind` is asked then for topics that are to be read from
    their beginning now, whatever was committed. `max_messages` is the service's default where the
    settings leave it open. `prepare` runs once before anything is consumed, when health is served
    already; it may raise Transient, and is to tell what it is given now and then how far it is.
    `tracing` makes the spans, by default as the settings say.
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
        # Up to the poll limit a slow batch is no fault; past it Kafka gives the member up.
        self._health = Health(max(settings.stall_seconds, POLL_LIMIT_SECONDS), handler.ready)
        self._server = HealthServer(telemetry, self._health)

    @property
    def port(self) -> int:
        """The port of /metrics, /healthz and /readyz; 0 while it does not run."""
        return self._server.port

    def stop(self) -> None:
        """Make `run` finish the batch in hand and return. Callable from any thread."""
        self._shutdown.request()

    def run(self) -> None:
        """Work until SIGTERM, SIGINT or `stop`; signals only reach the main thread.

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
        if anew := self._rewind() if self._rewind else frozenset():
            self._consumer.read_anew(anew)
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
        except ResightError:  # no fault of the records
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
        """Take a batch from 2 to 6, each step once, and return its results.

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
        """Stay a member for so long; False: the batch in hand must be dropped."""
        until = time.monotonic() + seconds
        while not self._shutdown.requested:
            self._health.turn()
            if not self._consumer.wait(max(0.0, until - time.monotonic())):
                return False
            if time.monotonic() >= until:
                return True
        return False

    def _pause_after(self, error: Transient) -> float:
        """Note a failed attempt and return how many seconds to wait; logs once an episode."""
        if self._attempts == 0:
            log.warning("waiting, and trying again until it works: %s", error)
        metrics.TRANSIENT_ERRORS.labels(self._name).inc()
        self._health.trouble = str(error)
        chance = random.random()  # noqa: S311 - jitter is no secret
        delay = self._backoff.delay(self._attempts, chance)
        self._attempts += 1
        return delay

    def _recovered(self) -> None:
        if self._attempts:
            log.info("working again after %d failed attempts", self._attempts)
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
            log.error("these partitions do not advance, so the client is built anew: %s", stalled)
            metrics.STALLS.labels(self._name).inc()
            self._watch.forget()
            self._consumer.close()
            self._consumer.open()


def _last_reason(results: Sequence[Result]) -> str:
    return next(each.reason for each in reversed(results) if isinstance(each, Poison))
