"""A service as a process, with everything encrypted and its secrets in files."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from embedded.servers import HOST, free_port, ledger_store
from embedded.temporary import running
from shared.kafka.clients import ensure_topics
from shared.kafka.topics import ALL
from shared.process.readiness import readiness
from shared.settings import KafkaSettings
from tests.support.servers.secured_broker import PASSWORD, USER, secured_broker
from tests.support.servers.service_process import service_process
from tests.support.servers.tls_front import Authority, front
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the registry is told in a place where everything is encrypted."""
    folder = tmp_path_factory.mktemp("secured")
    authority = Authority(folder / "authority")
    plain, secure = free_port(), free_port()
    secret = folder / "password"
    secret.write_text(f"{PASSWORD}\n")
    with (
        secured_broker(folder / "broker", authority) as kafka,
        running(ledger_store(folder / "ledger", plain)) as url,
        redis.Redis.from_url(url) as client,
        front(authority.context(), secure, plain),
    ):
        client.config_set("requirepass", PASSWORD)
        ensure_topics(kafka, ALL, 1)
        yield _told(kafka, authority, secure, secret)


def _told(kafka: KafkaSettings, authority: Authority, port: int, secret: Path) -> dict[str, str]:
    return {
        "RESIGHT_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "RESIGHT_KAFKA_SECURITY": kafka.security,
        "RESIGHT_KAFKA_USERNAME": USER,
        "RESIGHT_KAFKA_PASSWORD_FILE": str(secret),
        "RESIGHT_KAFKA_CA_FILE": str(authority.ca),
        "RESIGHT_KAFKA_PRODUCER_BATCH_BYTES": "0",
        "RESIGHT_KAFKA_SESSION_TIMEOUT_SECONDS": "6",
        "RESIGHT_KAFKA_REQUEST_TIMEOUT_SECONDS": "5",
        "RESIGHT_LEDGER_URL": f"rediss://{HOST}:{port}/0",
        "RESIGHT_LEDGER_PASSWORD_FILE": str(secret),
        "RESIGHT_TLS_CA_FILE": str(authority.ca),
    }


@contextmanager
def registry(settings: Mapping[str, str], log: Path) -> Iterator[str]:
    """Run the registry and give its address."""
    port = free_port()
    settings = {**settings, "RESIGHT_TELEMETRY_PORT": str(port)}
    with service_process("services.registry.main", settings, log=log):
        yield f"http://{HOST}:{port}"


def test_with_the_right_certificates_and_secrets_it_takes_work(
    settings: dict[str, str], tmp_path: Path
) -> None:
    with registry(settings, tmp_path / "log") as address:
        wait_until(lambda: readiness(address).ready)
    assert PASSWORD not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("of", ["KAFKA", "TLS"])
def test_with_a_strangers_certificate_it_says_so_and_takes_none(
    settings: dict[str, str], tmp_path: Path, of: str
) -> None:
    wrong = {f"RESIGHT_{of}_CA_FILE": str(Authority(tmp_path / "stranger").ca)}
    with registry(settings | wrong, tmp_path / "log") as address:
        wait_until(lambda: "certificate verify failed" in readiness(address).trouble)
        assert not readiness(address).ready
    assert "certificate verify failed" in (tmp_path / "log").read_text()


def test_a_secret_file_that_is_not_there_ends_it_with_its_name(tmp_path: Path) -> None:
    missing = {"RESIGHT_LEDGER_PASSWORD_FILE": str(tmp_path / "none")}
    done = subprocess.run(
        [sys.executable, "-m", "services.registry.main"],
        env={**os.environ, **missing},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 78
    assert "RESIGHT_LEDGER_PASSWORD_FILE" in done.stderr
