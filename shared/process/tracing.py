"""One trace from upload to decision: W3C trace context in record headers, one span per stage.

The Kafka instrumentation of OpenTelemetry does not see `poll`, so context is propagated by hand
(https://www.w3.org/TR/trace-context/). Off by default: then no spans are created, and an uploader's
context is passed on to the decision.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.errors import Poison
from shared.records import Record, Result
from shared.settings import TelemetrySettings

HEADER = "traceparent"
# Nothing else that an uploader writes there is passed on.
_FORM = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_CONTEXT = TraceContextTextMapPropagator()

Headers = list[tuple[str, bytes]]


class RecordSpan:
    """Span of one record in a stage."""

    def __init__(self, record: Record, span: Span | None) -> None:
        self._record = record
        self._span = span

    @property
    def headers(self) -> Headers:
        """Headers for the messages that result from the record."""
        if self._span is None:
            told = self._record.headers.get(HEADER, b"")
            return [(HEADER, told)] if _FORM.fullmatch(told) else []
        return _headers(self._span)

    def again(self, reason: str) -> None:
        """Record a retry."""
        if self._span is not None:
            self._span.add_event("attempt failed", {"reason": reason})

    def end(self, result: Result | None) -> None:
        """End the span; None: the record was dropped and will be redelivered."""
        if self._span is None:
            return
        if result is None:
            self._span.set_status(Status(StatusCode.ERROR, "dropped, will be redelivered"))
        elif isinstance(result, Poison):
            self._span.set_status(Status(StatusCode.ERROR, result.reason))
            self._span.set_attribute("error.type", result.kind)
        else:
            self._span.set_attribute("resight.messages", len(result))
        self._span.end()


@dataclass(frozen=True)
class Traces:
    """Creates the spans of a service; none without a tracer."""

    service: str
    tracer: Tracer | None = None

    def begin(self, records: Sequence[Record]) -> list[RecordSpan]:
        """Start the spans of a batch, each a child of the span in its record's headers."""
        return [RecordSpan(record, self._span(record)) for record in records]

    def upload(self, topic: str) -> RecordSpan:
        """Start a trace for a record to be published."""
        record = Record(topic, 0, 0, None, None, 0)
        if self.tracer is None:
            return RecordSpan(record, None)
        return RecordSpan(
            record, self.tracer.start_span(f"publish {topic}", kind=SpanKind.PRODUCER)
        )

    def _span(self, record: Record) -> Span | None:
        if self.tracer is None:
            return None
        told = record.headers.get(HEADER, b"")
        carrier = {HEADER: told.decode()} if _FORM.fullmatch(told) else {}
        return self.tracer.start_span(
            f"process {record.topic}",
            _CONTEXT.extract(carrier),
            SpanKind.CONSUMER,
            {
                "messaging.system": "kafka",
                "messaging.operation.type": "process",
                "messaging.destination.name": record.topic,
                "messaging.destination.partition.id": str(record.partition),
                "messaging.consumer.group.name": self.service,
                "messaging.kafka.offset": record.offset,
            },
        )


def traces(service: str, telemetry: TelemetrySettings) -> Traces:
    """Return the tracing of a service as configured."""
    if not telemetry.traces_url:
        return Traces(service)
    # Slow to import, and needed only for tracing.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    provider = provider_for(service, telemetry.traces_share)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(telemetry.traces_url)))
    return Traces(service, provider.get_tracer("resight"))


def provider_for(service: str, share: float = 1.0) -> TracerProvider:
    """Return a provider that names the service and samples traces that start here."""
    resource = Resource.create({"service.name": service, "service.namespace": "resight"})
    return TracerProvider(sampler=ParentBasedTraceIdRatio(share), resource=resource)


def _headers(span: Span) -> Headers:
    carrier: dict[str, str] = {}
    _CONTEXT.inject(carrier, trace.set_span_in_context(span))
    return [(name, value.encode()) for name, value in carrier.items() if name == HEADER]
