"""Servers for as long as a block of code lasts, with folders that go with them."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from embedded.servers import HOST, Server, cache_store, free_port, ledger_store
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.store import Store

# No command on a ledger of one's own takes longer, however busy the machine is.
TIMEOUT_SECONDS = 30.0


@contextmanager
def running(server: Server) -> Iterator[str]:
    """Start a server that speaks Redis' protocol; give its URL, and end it afterwards."""
    process = server.start()
    try:
        yield f"redis://{HOST}:{server.port}/0"
    finally:
        process.kill()
        process.wait()


@contextmanager
def keypoint_cache() -> Iterator[str]:
    """Give the URL of an empty keypoint cache."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(cache_store(Path(folder), free_port())) as url,
    ):
        yield url


@contextmanager
def empty_ledger() -> Iterator[Ledger]:
    """Give an empty ledger that nobody else writes to."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(ledger_store(Path(folder), free_port())) as url,
        closing(Store(url, TIMEOUT_SECONDS)) as store,
    ):
        ledger = Ledger(store)
        ledger.load()
        yield ledger
