"""One trace from upload to decision: W3C trace context in the records' headers, a span a stage.

The Kafka instrumentation of OpenTelemetry does not see `poll`, so context travels by hand
(https://www.w3.org/TR/trace-context/). Off by default: then no span is made, and what an
uploader sends as its context is carried along to the decision.
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
# Whatever else an uploader writes there is not carried along.
_FORM = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_CONTEXT = TraceContextTextMapPropagator()

Headers = list[tuple[str, bytes]]


class RecordSpan:
    """One record's way through a stage."""

    def __init__(self, record: Record, span: Span | None) -> None:
        self._record = record
        self._span = span

    @property
    def headers(self) -> Headers:
        """What the messages that follow from the record carry."""
        if self._span is None:
            told = self._record.headers.get(HEADER, b"")
            return [(HEADER, told)] if _FORM.fullmatch(told) else []
        return _headers(self._span)

    def again(self, reason: str) -> None:
        """Note an attempt that will be made again."""
        if self._span is not None:
            self._span.add_event("attempt failed", {"reason": reason})

    def end(self, result: Result | None) -> None:
        """End the span; None: the record was dropped, and comes again."""
        if self._span is None:
            return
        if result is None:
            self._span.set_status(Status(StatusCode.ERROR, "dropped, comes again"))
        elif isinstance(result, Poison):
            self._span.set_status(Status(StatusCode.ERROR, result.reason))
            self._span.set_attribute("error.type", result.kind)
        else:
            self._span.set_attribute("resight.messages", len(result))
        self._span.end()


@dataclass(frozen=True)
class Traces:
    """Makes the spans of a service; without a tracer it makes none."""

    service: str
    tracer: Tracer | None = None

    def begin(self, records: Sequence[Record]) -> list[RecordSpan]:
        """Begin the spans of a batch, each a child of the one that its record names."""
        return [RecordSpan(record, self._span(record)) for record in records]

    def upload(self, topic: str) -> RecordSpan:
        """Begin a trace with what is about to be published on a topic."""
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
    """Return what makes a service's spans and sends them where the settings say, if they do."""
    if not telemetry.traces_url:
        return Traces(service)
    # Needed by nobody who does not trace, and slow to import.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    provider = provider_for(service, telemetry.traces_share)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(telemetry.traces_url)))
    return Traces(service, provider.get_tracer("resight"))


def provider_for(service: str, share: float = 1.0) -> TracerProvider:
    """Return a provider that names the service and keeps a share of the traces that begin here."""
    resource = Resource.create({"service.name": service, "service.namespace": "resight"})
    return TracerProvider(sampler=ParentBasedTraceIdRatio(share), resource=resource)


def _headers(span: Span) -> Headers:
    carrier: dict[str, str] = {}
    _CONTEXT.inject(carrier, trace.set_span_in_context(span))
    return [(name, value.encode()) for name, value in carrier.items() if name == HEADER]
