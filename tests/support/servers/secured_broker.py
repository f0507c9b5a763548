"""A real broker behind TLS and SCRAM, as an operator would give it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from embedded.servers import HOST, broker, free_port
from shared.settings import KafkaSettings
from tests.support.servers.tls_front import Authority, front

USER = "resight"
PASSWORD = "correct horse"  # noqa: S105 - of a broker that ends with the test


@contextmanager
def secured_broker(folder: Path, authority: Authority) -> Iterator[KafkaSettings]:
    """Run one that lets only `USER` in, and give the settings that it takes."""
    plain, secure = free_port(), free_port()
    server = broker(folder, plain)
    at = list(server.command).index("--advertised-listener-url") + 1
    command = [*server.command[:at], f"tcp://{HOST}:{secure}", *server.command[at + 1 :]]
    process = replace(server, command=command).start()
    try:
        with front(authority.context(), secure, plain, {USER: PASSWORD}):
            yield KafkaSettings(
                bootstrap_servers=f"{HOST}:{secure}",
                security="SASL_SSL",
                username=USER,
                password=SecretStr(PASSWORD),
                ca_file=authority.ca,
                session_timeout_seconds=6,
                request_timeout_seconds=5,
                producer_batch_bytes=0,
            )
    finally:
        process.kill()
        process.wait()
