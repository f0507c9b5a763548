import time
import urllib.error
import urllib.request

import pytest

from shared.errors import SettingsError
from shared.process.health import Health, HealthServer
from shared.settings import TelemetrySettings


def test_a_loop_that_does_not_turn_is_dead_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    health = Health(300, lambda: True)
    assert health.dead() == ""
    later = time.monotonic() + 400
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert "has not turned for 400 s (limit 300 s)" in health.dead()
    health.turn()
    assert health.dead() == ""


def test_readiness_names_what_is_missing() -> None:
    ready = [False]
    health = Health(300, lambda: ready[0])
    assert health.unready() == "joining the consumer group"
    health.joined = True
    assert health.unready() == "a dependency of the service does not respond"
    ready[0] = True
    assert health.unready() == ""
    health.trouble = "Qdrant does not respond"
    assert health.unready() == "waiting: Qdrant does not respond"


@pytest.mark.logs_errors
def test_a_service_that_can_not_say_is_not_ready() -> None:
    def fails() -> bool:
        raise ConnectionError("refused")

    health = Health(300, fails)
    health.joined = True
    assert health.unready() == "a dependency of the service does not respond: refused"


def test_the_server_answers_on_its_paths_and_no_other() -> None:
    health = Health(300, lambda: True)
    health.joined = True
    server = HealthServer(TelemetrySettings.model_validate({"port": 0}), health)
    server.start()
    try:
        for path in ("/metrics", "/healthz", "/readyz"):
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}") as answer:
                assert answer.status == 200
        with pytest.raises(urllib.error.HTTPError) as missing:
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/etc/passwd")
        assert missing.value.code == 404
        missing.value.close()
    finally:
        server.stop()


def test_a_port_that_is_taken_is_named_with_its_setting() -> None:
    first = HealthServer(TelemetrySettings.model_validate({"port": 0}), Health(300, lambda: True))
    first.start()
    try:
        second = HealthServer(
            TelemetrySettings.model_validate({"port": first.port}), Health(300, lambda: True)
        )
        with pytest.raises(SettingsError, match=rf"127\.0\.0\.1:{first.port}.*TELEMETRY_PORT"):
            second.start()
    finally:
        first.stop()
