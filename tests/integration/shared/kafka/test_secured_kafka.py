"""Kafka over SASL_SSL: a real broker behind TLS and SCRAM, and who is refused there."""

import gc
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from embedded.servers import HOST, free_port
from shared.errors import Transient
from shared.kafka.clients import admin, consumer, ensure_topics, producer
from shared.settings import KafkaSettings
from tests.support.servers.secured_broker import secured_broker
from tests.support.servers.tls_front import Authority, front

# The client leaves the sockets of failed handshakes to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def settings(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[KafkaSettings]:
    with secured_broker(tmp_path_factory.mktemp("broker"), authority) as settings:
        yield settings


def test_what_one_client_sends_another_receives(settings: KafkaSettings) -> None:
    ensure_topics(settings, ["secret"], 1)
    sender = producer(settings)
    sender.send("secret", b"zebra", b"gate").get(5)
    sender.close(5)
    reader = consumer(settings, "readers")
    reader.subscribe(["secret"])
    found: list[bytes] = []
    for _ in range(60):
        found += [record.value for records in reader.poll(500).values() for record in records]
        if found:
            break
    reader.close()
    assert found == [b"zebra"]


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Free what this test has left, not in the middle of another module's."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def impatient(settings: KafkaSettings) -> KafkaSettings:
    """Who is refused at once need not be tried for long."""
    return settings.model_copy(update={"request_timeout_seconds": 1.0})


def test_a_certificate_of_another_authority_is_refused_and_named(
    impatient: KafkaSettings, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path)
    with pytest.raises(Transient, match="certificate verify failed"):
        admin(impatient.model_copy(update={"ca_file": stranger.ca}))


# A process of its own: pytest keeps what is logged, and with it the errors and their sockets. It
# collects by itself as seldom as an idle service does.
ATTEMPTS = """
import gc
from pathlib import Path
from shared.errors import Transient
from shared.kafka.clients import admin
from shared.settings import KafkaSettings
settings = KafkaSettings(request_timeout_seconds=1)
gc.disable()
for _ in range(5):
    try:
        admin(settings)
    except Transient as error:
        assert "certificate verify failed" in str(error), error
    print(len(list(Path("/proc/self/fd").iterdir())))
"""


def test_attempts_that_are_refused_do_not_pile_up_sockets(
    settings: KafkaSettings, tmp_path: Path
) -> None:
    told = {
        "BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "SECURITY": "SSL",
        "CA_FILE": str(Authority(tmp_path).ca),
    }
    done = subprocess.run(
        [sys.executable, "-c", ATTEMPTS],
        env={**os.environ, **{f"RESIGHT_KAFKA_{name}": value for name, value in told.items()}},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counts = [int(line) for line in done.stdout.split()]
    assert counts[-1] <= counts[1] + 1, counts  # those of the last attempt, and no others


def test_a_certificate_for_another_host_is_refused_and_named(
    impatient: KafkaSettings, tmp_path: Path
) -> None:
    elsewhere, port = Authority(tmp_path, "kafka.example"), free_port()
    there = {"ca_file": elsewhere.ca, "bootstrap_servers": f"{HOST}:{port}"}
    with (
        front(elsewhere.context(), port, free_port()),
        pytest.raises(Transient, match=r"certificate is not valid for '127\.0\.0\.1'"),
    ):
        admin(impatient.model_copy(update=there))


def test_a_wrong_password_is_refused_and_named(impatient: KafkaSettings) -> None:
    with pytest.raises(Transient, match="SaslAuthenticationFailed"):
        admin(impatient.model_copy(update={"password": SecretStr("wrong")}))


def test_a_client_that_does_not_encrypt_gets_nowhere(impatient: KafkaSettings) -> None:
    with pytest.raises(Transient, match="Unable to bootstrap"):
        admin(
            KafkaSettings(bootstrap_servers=impatient.bootstrap_servers, request_timeout_seconds=1)
        )
