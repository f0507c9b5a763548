"""One capture is one trace, from its upload through all four services to its decision."""

import gzip
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from embedded.servers import broker, free_port
from embedded.temporary import keypoint_cache
from recognition.replay.in_process import handlers
from services.embedder.captures.capture import decode_capture
from services.registry.calibration import calibration
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.store import Store
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.kafka import topics
from shared.kafka.clients import ensure_topics, producer
from shared.messages import CandidateList, Capture, Enrolment, ImagePlace, Matches, Sighting
from shared.process.tracing import HEADER, Traces, provider_for, traces
from shared.records import Decoder, Handler
from shared.settings import KafkaSettings, StageSettings, TelemetrySettings
from shared.stage.handling import protobuf_decoder
from shared.stage.loop import Stage
from tests.support.samples.model_files import tiny_model
from tests.support.stages import running
from tests.support.waiting import wait_until


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[KafkaSettings]:
    """A broker of its own: the services' groups and topics have the names of production."""
    port = free_port()
    process = broker(tmp_path / "broker", port).start()
    settings = KafkaSettings(
        bootstrap_servers=f"127.0.0.1:{port}", producer_batch_bytes=0, session_timeout_seconds=6
    )
    ensure_topics(settings, [*topics.ALL, *topics.dead_letter_topics()], 1)
    yield settings
    process.kill()
    process.wait()


DECODERS: Mapping[str, Mapping[str, Decoder[Any]]] = {
    "embedder": {topics.CAPTURES: decode_capture},
    "lookup": {
        topics.SIGHTINGS: protobuf_decoder(Sighting),
        topics.ENROLMENTS: protobuf_decoder(Enrolment),
    },
    "matcher": {topics.CANDIDATES: protobuf_decoder(CandidateList)},
    "registry": {
        topics.MATCHES: protobuf_decoder(Matches),
        topics.PLACES: protobuf_decoder(ImagePlace),
    },
}


@contextmanager
def services(
    kafka: KafkaSettings, folder: Path, ledger_url: str, spans: InMemorySpanExporter
) -> Iterator[None]:
    """Run all four services in this process, their spans in memory."""
    store = Store(ledger_url, 5)
    ledger = Ledger(store)
    ledger.load()
    with (
        keypoint_cache() as cache,
        handlers(folder, cache, tiny_model(folder / "tiny.onnx")) as inline,
        ExitStack() as stages,
    ):
        registry = RegistryService(
            ledger, calibration.load(RegistrySettings().calibration), RegistrySettings()
        )
        handling: dict[str, Handler[Any]] = {
            "embedder": inline.embedder,
            "lookup": inline.lookup,
            "matcher": inline.matcher,
            "registry": registry,
        }
        for name, handler in handling.items():
            stage = Stage(
                name=name,
                decoders=DECODERS[name],
                handler=handler,
                kafka=kafka,
                settings=StageSettings(),
                telemetry=TelemetrySettings(port=0),
                tracing=_in_memory(name, spans),
            )
            stages.enter_context(running(stage))
        yield
    store.close()


def _in_memory(name: str, spans: InMemorySpanExporter) -> Traces:
    provider = provider_for(name)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return Traces(name, provider.get_tracer("test"))


def _picture(seed: int) -> bytes:
    noise = np.random.default_rng(seed).normal(size=(240, 320)).astype(np.float32)
    coat = (cv2.GaussianBlur(noise, (0, 0), 6) > 0).astype(np.uint8) * 200
    return bytes(cv2.imencode(".jpg", coat)[1])


def _service(span: ReadableSpan) -> str:
    return str(span.resource.attributes["service.name"])


def test_one_capture_is_one_trace_through_all_four_services(
    kafka: KafkaSettings, tmp_path: Path, ledger_url: str
) -> None:
    spans = InMemorySpanExporter()
    upload = _in_memory("upload", spans).upload(topics.CAPTURES)
    capture = Capture(inline=_picture(1), species="zebra", deployment="gate")
    with services(kafka, tmp_path, ledger_url, spans):
        client = producer(kafka)
        value = capture.SerializeToString()
        client.send(topics.CAPTURES, value, b"gate", upload.headers).get(20)
        upload.end([])
        client.close()
        # The enrolment that the decision made has come back to lookup.
        wait_until(lambda: _steps(spans).count(("lookup", topics.ENROLMENTS)) == 1)

    made = spans.get_finished_spans()
    assert len({span.context.trace_id for span in made if span.context}) == 1
    assert _steps(spans) == [
        ("upload", topics.CAPTURES),
        ("embedder", topics.CAPTURES),
        ("lookup", topics.SIGHTINGS),
        ("matcher", topics.CANDIDATES),
        ("registry", topics.MATCHES),
        ("lookup", topics.ENROLMENTS),
    ]
    chain = sorted(made, key=lambda span: span.start_time or 0)
    for before, after in pairwise(chain):
        assert before.context
        assert after.parent
        assert after.parent.span_id == before.context.span_id
        assert after.kind is SpanKind.CONSUMER


def _steps(spans: InMemorySpanExporter) -> list[tuple[str, str]]:
    made = sorted(spans.get_finished_spans(), key=lambda span: span.start_time or 0)
    return [(_service(span), span.name.split()[1]) for span in made]


@pytest.mark.logs_errors
def test_what_is_given_up_is_an_error_of_its_trace(
    kafka: KafkaSettings, tmp_path: Path, ledger_url: str
) -> None:
    spans = InMemorySpanExporter()
    with services(kafka, tmp_path, ledger_url, spans):
        client = producer(kafka)
        client.send(topics.CAPTURES, Capture(inline=b"no picture").SerializeToString()).get(20)
        client.close()
        wait_until(lambda: len(spans.get_finished_spans()) == 1)
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "unsupported-format"


def test_by_default_no_span_is_made_and_what_came_is_passed_on() -> None:
    tracing = traces("embedder", TelemetrySettings())
    assert tracing.tracer is None
    assert tracing.upload(topics.CAPTURES).headers == []


class _Collector(BaseHTTPRequestHandler):
    """Takes spans by OTLP."""

    taken: list[ExportTraceServiceRequest] = []  # noqa: RUF012 - one server, one list

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        self.taken.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_with_an_address_spans_are_sent_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/v1/traces"
        upload = traces("upload", TelemetrySettings(traces_url=address)).upload(topics.CAPTURES)
        ((name, value),) = upload.headers
        upload.end([])
        wait_until(lambda: bool(_Collector.taken))
        server.shutdown()
        thread.join()
    assert name == HEADER
    (resource,) = _Collector.taken[0].resource_spans
    (span,) = resource.scope_spans[0].spans
    assert span.name == f"publish {topics.CAPTURES}"
    assert value.decode().split("-")[1:3] == [span.trace_id.hex(), span.span_id.hex()]
