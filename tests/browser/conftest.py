"""A real browser at a real server: the pages on a made catalogue."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from embedded.servers import HOST, free_port
from services.registry.api.application import application
from tests.support.catalogue_bench import Bench, bench_at
from tests.support.waiting import wait_until

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


@dataclass
class Site:
    """Pages at an address, and the catalogue behind them."""

    url: str
    bench: Bench


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def site(ledger_url: str, tmp_path: Path) -> Iterator[Site]:
    """The pages on an empty catalogue, open to this machine."""
    bench, port = bench_at(ledger_url, tmp_path), free_port()
    config = uvicorn.Config(application(bench.context), HOST, port, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    yield Site(f"http://{HOST}:{port}", bench)
    bench.context.closing.set()
    server.should_exit = True
    thread.join(10)


def _is_fault(said: ConsoleMessage) -> bool:
    """A refused key is no fault of the page's."""
    return said.type == "error" and "401" not in said.text


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A tab; anything that its console calls an error fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.set_default_timeout(10_000)
    faults: list[str] = []
    tab.on("console", lambda said: faults.append(said.text) if _is_fault(said) else None)
    tab.on("pageerror", lambda error: faults.append(str(error)))
    yield tab
    context.close()
    assert faults == []
