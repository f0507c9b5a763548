"""A body must come in time, and an answer must be read."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import pytest
from fastapi import HTTPException
from starlette.types import Message

from services.registry.api.limits.bounds import NotReadError, bounded, hurried
from tests.support.servers.own_loop import in_own_loop

T = TypeVar("T")


def run(taking: Coroutine[Any, Any, T]) -> T:
    return in_own_loop(asyncio.run, taking)


def body(*pieces: bytes, ended: bool = True) -> Sequence[Message]:
    return [
        {
            "type": "http.request",
            "body": piece,
            "more_body": not ended or number + 1 < len(pieces),
        }
        for number, piece in enumerate(pieces)
    ]


async def taken(messages: Sequence[Message], most: int, seconds: float) -> int:
    """How many messages pass; after the last one nothing more comes."""
    coming = iter(messages)

    async def receive() -> Message:
        for message in coming:
            return message
        await asyncio.sleep(60)
        raise AssertionError

    take = bounded(receive, most, seconds)
    count = 0
    while True:
        message = await take()
        count += 1
        if not message["more_body"]:
            return count


def test_a_body_passes_that_is_small_enough_and_in_time() -> None:
    assert run(taken(body(b"a", b"b"), 2, 1.0)) == 2


def test_a_body_that_grows_too_large_is_refused() -> None:
    with pytest.raises(HTTPException) as refused:
        run(taken(body(b"a", b"bc"), 2, 1.0))
    assert refused.value.status_code == 413


def test_a_body_that_does_not_end_in_time_is_refused() -> None:
    with pytest.raises(HTTPException) as refused:
        run(taken(body(b"a", ended=False), 2, 0.05))
    assert refused.value.status_code == 408


def test_what_comes_after_the_body_may_take_any_time() -> None:
    async def disconnected() -> str:
        coming = iter([*body(b"a"), {"type": "http.disconnect"}])

        async def receive() -> Message:
            return next(coming)

        take = bounded(receive, 2, 0.05)
        await take()
        await asyncio.sleep(0.1)
        return str((await take())["type"])

    assert run(disconnected()) == "http.disconnect"


def test_an_answer_that_nobody_takes_is_given_up() -> None:
    async def send(_: Message) -> None:
        await asyncio.sleep(60)

    async def answer() -> None:
        await hurried(send, 0.05)({"type": "http.response.body"})

    with pytest.raises(NotReadError):
        run(answer())
