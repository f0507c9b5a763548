"""The embedded profile tells every service what it must know, in names that it knows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from resight.reference.settings import concerns
from resight.stack.profile import MODULES, PAGES, Ports, Profile, choose_ports
from shared.environment import Settings, load

PORTS = Ports(
    1001, 1002, 1003, 1004, 1005, {name: 1100 + n for n, name in enumerate((*MODULES, *PAGES))}
)
PROFILE = Profile(Path("/data/stack"), Path("/data/models"), PORTS)


def each_concern() -> Iterator[tuple[str, type[Settings]]]:
    for concern in concerns():
        service = concern.__module__.split(".")[1]
        for name in MODULES:
            if service in (name, "settings"):
                yield name, concern


@pytest.mark.parametrize(("service", "concern"), list(each_concern()))
def test_every_service_understands_its_environment(
    service: str, concern: type[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = PROFILE.environment(service, {})
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    load(concern, environment)


def test_services_share_stores_but_not_names_or_ports() -> None:
    made = [PROFILE.environment(service, {}) for service in MODULES]
    for name in (
        "RESIGHT_KAFKA_BOOTSTRAP_SERVERS",
        "RESIGHT_LEDGER_URL",
        "RESIGHT_BLOBS_CROPS_URL",
    ):
        assert len({each[name] for each in made}) == 1
    for name in ("RESIGHT_KAFKA_INSTANCE_ID", "RESIGHT_TELEMETRY_PORT"):
        assert len({each[name] for each in made}) == len(MODULES)


def test_the_caller_may_tune_but_not_rewire() -> None:
    caller = {
        "RESIGHT_MATCHER_THREADS": "4",
        "RESIGHT_LEDGER_URL": "redis://production:6379/0",
        "RESIGHT_LEDGER_PASSWORD_FILE": "/run/secrets/production",
        "RESIGHT_KAFKA_SECURITY": "SSL",
        "PATH": "/bin",
    }
    made = PROFILE.environment("matcher", caller)
    assert made["RESIGHT_MATCHER_THREADS"] == "4"
    assert made["RESIGHT_LEDGER_URL"] == "redis://127.0.0.1:1002/0"
    assert made["PATH"] == "/bin"
    assert not any("SECURITY" in name or "PASSWORD" in name for name in made)


def test_a_model_and_a_calibration_of_one_s_own_serve() -> None:
    own = Profile(Path("/s"), Path("/m"), PORTS, Path("/own.onnx"), Path("/own.json"))
    caller = {"RESIGHT_REGISTRY_CALIBRATION": "/callers.json"}
    made = own.environment("registry", caller)
    assert made["RESIGHT_ENCODER_MODEL_PATH"] == "/own.onnx"
    assert made["RESIGHT_REGISTRY_CALIBRATION"] == "/own.json"
    assert PROFILE.environment("registry", caller)["RESIGHT_REGISTRY_CALIBRATION"] == (
        "/callers.json"
    )


def test_ports_are_all_different() -> None:
    ports = choose_ports(0)
    chosen = [
        ports.broker,
        ports.ledger,
        ports.cache,
        ports.api,
        ports.explainer,
        *ports.telemetry.values(),
    ]
    assert len(set(chosen)) == len(MODULES) + len(PAGES) + 5
    assert choose_ports(19092).broker == 19092
