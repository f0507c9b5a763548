"""Servers for the duration of a block, with temporary folders."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from embedded.servers import HOST, Server, cache_store, free_port, ledger_store
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.store import Store

# Commands on a private ledger never take longer.
TIMEOUT_SECONDS = 30.0


@contextmanager
def running(server: Server) -> Iterator[str]:
    """Start a Redis-protocol server; yield its URL, and stop it afterwards."""
    process = server.start()
    try:
        yield f"redis://{HOST}:{server.port}/0"
    finally:
        process.kill()
        process.wait()


@contextmanager
def keypoint_cache() -> Iterator[str]:
    """Yield the URL of an empty keypoint cache."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(cache_store(Path(folder), free_port())) as url,
    ):
        yield url


@contextmanager
def empty_ledger() -> Iterator[Ledger]:
    """Yield an empty private ledger."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(ledger_store(Path(folder), free_port())) as url,
        closing(Store(url, TIMEOUT_SECONDS)) as store,
    ):
        ledger = Ledger(store)
        ledger.load()
        yield ledger
