"""The home page says whether all services are ready, and a gallery's how far its evidence moved."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from embedded.servers import HOST, free_port
from services.registry.api.system import System
from services.registry.calibration.drift import MIN_SIGHTINGS, Histogram
from shared.errors import Transient
from shared.kafka import backlog
from shared.kafka.clients import producer
from shared.kafka.topics import CAPTURES, INPUTS
from shared.process.health import Health, HealthServer
from shared.settings import KafkaSettings, TelemetrySettings
from tests.support.catalogue_bench import API, Bench, bench_at
from tests.support.queries import GALLERY


@pytest.fixture
def bench(ledger_url: str, tmp_path: Path) -> Bench:
    bench = bench_at(ledger_url, tmp_path)
    bench.decide("a")
    return bench


@pytest.fixture
def address() -> Iterator[str]:
    """A service that is ready."""
    health = Health(300, lambda: True)
    health.joined = True
    server = HealthServer(TelemetrySettings.model_validate({"port": 0}), health)
    server.start()
    yield f"http://{HOST}:{server.port}"
    server.stop()


def home(bench: Bench, system: System) -> str:
    bench.context = replace(bench.context, system=system)
    return bench.client().get("/").text


def test_home_says_that_everything_is_ready_and_what_is_on_the_way(
    bench: Bench, kafka: KafkaSettings, address: str
) -> None:
    before = System(kafka, {}).now()
    assert [each.name for each in before.stages] == list(INPUTS)
    assert {each.ready for each in before.stages} == {None}
    assert "The broker is reachable" in home(bench, System(kafka, {}))
    client = producer(kafka, "test")
    client.send(CAPTURES, b"no capture").get(10)
    client.close()
    system = System(kafka, dict.fromkeys(INPUTS, address))
    assert system.now().waiting == before.waiting + 1
    shown = home(bench, system)
    assert "All services are ready" in shown
    assert "being processed" in shown
    assert "not ready" not in shown


def test_home_names_the_service_that_is_not_ready(
    bench: Bench, kafka: KafkaSettings, address: str
) -> None:
    addresses = {**dict.fromkeys(INPUTS, address), "matcher": f"http://{HOST}:{free_port()}"}
    shown = home(bench, System(kafka, addresses))
    assert "The matcher is not ready: it does not respond." in shown
    assert "All services are ready" not in shown


def test_home_says_so_when_the_broker_does_not_answer(
    bench: Bench, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: KafkaSettings) -> None:
        raise Transient("no broker answers at broker:9092")

    monkeypatch.setattr(backlog, "read", away)
    shown = home(bench, System(kafka, {}))
    assert (
        "The broker does not respond, so no pictures can be processed: no broker answers at"
        in shown
    )


def drift(bench: Bench, baseline: Histogram, window: int) -> float | None:
    """What the API tells of the drift, with this baseline and so many of the latest sightings."""
    curve = bench.context.calibration.pooled.model_copy(update={"baseline": baseline})
    calibration = bench.context.calibration.model_copy(update={"pooled": curve, "species": {}})
    bench.context = replace(bench.context, calibration=calibration, drift_window=window)
    told: float | None = bench.client().get(API).json()["drift"]
    return told


def test_a_gallery_tells_when_its_evidence_has_moved_from_the_calibrations(bench: Bench) -> None:
    """Of a, the first one, nobody was weighed; each other one is the same as those before."""
    low, high = (Histogram.of([probability] * 4, [0.5]) for probability in (0.1, 0.99))
    for name in "bcd":
        bench.decide(name, alike="abcd")
    assert drift(bench, low, window=4) is None
    bench.decide("e", alike="abcd")
    assert drift(bench, low, window=MIN_SIGHTINGS) is None
    assert "available after 200 sightings" in bench.client().get(f"/g/{GALLERY}").text
    for baseline, moved in ((low, True), (high, False)):
        told = drift(bench, baseline, window=4)
        assert told is not None
        assert (told > 0.25) is moved
        page = bench.client().get(f"/g/{GALLERY}").text
        assert ("Calibrate again" in page) is moved
        assert (">normal<" in page) is not moved
