"""What a handler answered is found again, and never for another question."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from google.protobuf.message import Message

from recognition.replay.cached_handler import CachedHandler
from shared.errors import Poison, ResightError
from shared.messages import Capture, ModelReference, Sighting
from shared.records import Receipt, Result

MODEL = ModelReference(name="m", version="1", preprocessing="p")


class Counting:
    """Answers a capture with two sightings, and counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def handle(self, messages: Sequence[Message]) -> Sequence[Result]:
        return [self._result(message) for message in messages]

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        raise AssertionError(f"nothing was published: {receipts}")

    def ready(self) -> bool:
        return True

    def _result(self, message: Message) -> Result:
        assert isinstance(message, Capture)
        self.asked.append(message.capture_id)
        if message.capture_id == "bad":
            return Poison("bad picture")
        return [Sighting(sighting_id=f"{message.capture_id}{n}") for n in (1, 2)]


def _remembered(handler: Counting, folder: Path, identity: str = "one") -> CachedHandler[Message]:
    return CachedHandler(handler, identity, Sighting, folder)


def _ids(result: Result) -> list[str]:
    assert not isinstance(result, Poison)
    return [each.sighting_id for each in result if isinstance(each, Sighting)]


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    handler = Counting()
    _remembered(handler, tmp_path).handle([Capture(capture_id="a")])
    again = _remembered(handler, tmp_path).handle(
        [Capture(capture_id="b"), Capture(capture_id="a")]
    )
    assert [_ids(result) for result in again] == [["b1", "b2"], ["a1", "a2"]]
    assert handler.asked == ["a", "b"]


@pytest.mark.parametrize(
    ("identity", "message"),
    [("two", Capture(capture_id="a")), ("one", Capture(capture_id="a", species="lion"))],
)
def test_another_model_or_message_is_asked_anew(
    tmp_path: Path, identity: str, message: Capture
) -> None:
    handler = Counting()
    _remembered(handler, tmp_path).handle([Capture(capture_id="a")])
    _remembered(handler, tmp_path, identity).handle([message])
    assert handler.asked == ["a", "a"]


def test_poison_is_asked_again(tmp_path: Path) -> None:
    handler = Counting()
    for _ in range(2):
        [result] = _remembered(handler, tmp_path).handle([Capture(capture_id="bad")])
        assert isinstance(result, Poison)
    assert handler.asked == ["bad", "bad"]


def test_a_damaged_answer_is_named(tmp_path: Path) -> None:
    handler = Counting()
    _remembered(handler, tmp_path).handle([Capture(capture_id="a")])
    [file] = [path for path in tmp_path.rglob("*") if path.is_file()]
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ResightError, match=f"{file.name} is damaged .* delete it"):
        _remembered(handler, tmp_path).handle([Capture(capture_id="a")])
