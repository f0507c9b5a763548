"""Who asks for what takes long holds up nobody else."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import HTTPException

from embedded.servers import HOST, free_port
from services.registry.api.application import application
from services.registry.api.limits.turns import AT_ONCE, AT_ONCE_OF_ONE, Turns
from services.registry.api.picture_query import PictureQuery
from services.registry.api.settings import ApiSettings
from shared.messages import Answer, Capture
from shared.settings import KafkaSettings
from tests.support.catalogue_bench import API, bench_at
from tests.support.samples.pictures import photograph
from tests.support.waiting import wait_until

ASKING = 45


class Silent(PictureQuery):
    """A system that does not respond until it is told to."""

    def __init__(self) -> None:
        super().__init__(KafkaSettings())
        self.told, self.asked = threading.Event(), 0

    def ask(self, capture: Capture, seconds: float) -> Answer:
        self.asked += 1
        assert self.told.wait(seconds)
        return Answer(question=capture.question)


def test_while_45_ask_who_a_picture_shows_others_sign_in(ledger_url: str, tmp_path: Path) -> None:
    bench, port, silent = bench_at(ledger_url, tmp_path, ApiSettings()), free_port(), Silent()
    bench.decide("a")
    bench.context = replace(bench.context, picture_query=silent)
    admin, reader, other = bench.key("admin"), bench.key("reader"), bench.key("reader")
    server = uvicorn.Server(uvicorn.Config(application(bench.context), HOST, port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    site = f"http://{HOST}:{port}"

    def ask(key: str) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        files = {"picture": ("a.jpg", photograph(), "image/jpeg")}
        return httpx.post(
            f"{site}{API}/search", headers=headers, files=files, timeout=60
        ).status_code

    with ThreadPoolExecutor(ASKING) as pool:
        answers = [pool.submit(ask, reader) for _ in range(ASKING)]
        wait_until(lambda: sum(each.done() for each in answers) == ASKING - AT_ONCE_OF_ONE)
        theirs = pool.submit(ask, other)
        wait_until(lambda: silent.asked == AT_ONCE_OF_ONE + 1)
        begun = time.monotonic()
        assert httpx.post(f"{site}/sign-in", data={"key": admin}).status_code == 303
        assert time.monotonic() - begun < 2
        silent.told.set()
        statuses = sorted(each.result() for each in answers)
    assert statuses == [200] * AT_ONCE_OF_ONE + [429] * (ASKING - AT_ONCE_OF_ONE)
    assert theirs.result() == 200
    bench.context.closing.set()
    server.should_exit = True
    thread.join(10)


def test_turns_are_counted_for_each_key_and_in_all_and_given_back() -> None:
    turns = Turns()
    with turns.of("export", "a"), turns.of("export", "a"):
        with pytest.raises(HTTPException) as refused, turns.of("export", "a"):
            pass
        assert refused.value.headers == {"Retry-After": "5"}
        with turns.of("export", "b"), turns.of("export", "b"):
            with pytest.raises(HTTPException), turns.of("export", "c"):
                pass
            with turns.of("ask", "a"), turns.of("", "a"):
                pass
    assert AT_ONCE["export"] == 4
    with turns.of("export", "a"), turns.of("export", "a"):
        pass
