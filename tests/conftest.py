"""Real servers for the tests: each session starts its own, on free ports."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from embedded.servers import HOST, Server, broker, cache_store, free_port, ledger_store
from resight.stack.profile import ENCODER

# Loggers of the project's own packages.
_OWN = frozenset({"catalogue", "embedded", "recognition", "resight", "services", "shared"})


class _Errors(logging.Handler):
    """Collects the errors that the project logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Collect one."""
        if record.name.partition(".")[0] in _OWN:
            self.messages.append(record.getMessage())


@pytest.fixture(autouse=True)
def _no_error_is_only_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which an error was only logged.

    Tests that expect one check it by `caplog`, or are marked `logs_errors`.
    """
    errors = _Errors()
    root = logging.getLogger()
    root.addHandler(errors)
    yield
    root.removeHandler(errors)
    expected = request.node.get_closest_marker("logs_errors") is not None
    if not expected and "caplog" not in request.fixturenames:
        assert errors.messages == []


def _running(server: Server) -> Iterator[Server]:
    process = server.start()
    yield server
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def encoder_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default encoder's file: making it takes 12 s, so stacks of the tests share one."""
    # PyTorch takes seconds to import, and most tests run without it.
    from recognition.models.export import export  # noqa: PLC0415

    return export(ENCODER, tmp_path_factory.mktemp("encoder") / f"{ENCODER}.onnx")


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of the Kafka protocol; the value is its bootstrap address."""
    for server in _running(broker(tmp_path_factory.mktemp("broker"), free_port())):
        yield f"{HOST}:{server.port}"


@pytest.fixture(scope="session")
def _ledger_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    for server in _running(ledger_store(tmp_path_factory.mktemp("ledger"), free_port())):
        yield f"redis://{HOST}:{server.port}/0"


@pytest.fixture
def ledger_url(_ledger_server: str) -> Iterator[str]:
    """An empty Valkey with an append-only file, as the ledger has it."""
    yield from _emptied(_ledger_server)


@pytest.fixture(scope="session")
def _cache_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    for server in _running(cache_store(tmp_path_factory.mktemp("cache"), free_port(), 64)):
        yield f"redis://{HOST}:{server.port}/0"


@pytest.fixture
def cache_url(_cache_server: str) -> Iterator[str]:
    """An empty Valkey of 64 MB that evicts, as the keypoint cache has it."""
    yield from _emptied(_cache_server)


def _emptied(url: str) -> Iterator[str]:
    client = redis.Redis.from_url(url)
    client.flushall()
    client.close()
    yield url
