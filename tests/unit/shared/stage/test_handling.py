from collections.abc import Callable, Sequence

import pytest
from google.protobuf.message import Message

from shared.errors import Poison, Transient
from shared.messages import Decision, Sighting
from shared.records import Receipt, Record, Result
from shared.stage.handling import decoded, protobuf_decoder, results


class Service:
    """A handler made of one function."""

    def __init__(self, handle: Callable[[Sequence[Message]], Sequence[Result]]) -> None:
        self.handle = handle

    def acknowledged(self, receipts: Sequence[Receipt]) -> None: ...

    def ready(self) -> bool:
        return True


def one_decision_each(messages: Sequence[Message]) -> Sequence[Result]:
    return [[Decision(sighting_id=m.sighting_id)] for m in messages if isinstance(m, Sighting)]


def test_results_stand_where_their_messages_stood_and_poison_stays() -> None:
    bad = Poison("undecodable")
    given: list[Message | Poison] = [Sighting(sighting_id="a"), bad, Sighting(sighting_id="b")]
    assert results(Service(one_decision_each), given) == [
        [Decision(sighting_id="a")],
        bad,
        [Decision(sighting_id="b")],
    ]


def test_a_batch_of_nothing_but_poison_does_not_reach_the_handler() -> None:
    def fails(_: Sequence[Message]) -> Sequence[Result]:
        raise AssertionError("asked")

    bad = Poison("undecodable")
    assert results(Service(fails), [bad]) == [bad]


def test_poison_that_is_raised_is_laid_to_the_message_that_raises_it() -> None:
    bad = Poison("not an animal")

    def raises(messages: Sequence[Message]) -> Sequence[Result]:
        if Sighting(sighting_id="b") in messages:
            raise bad
        return one_decision_each(messages)

    given = [Sighting(sighting_id=name) for name in "abc"]
    assert results(Service(raises), given) == [
        [Decision(sighting_id="a")],
        bad,
        [Decision(sighting_id="c")],
    ]


def test_a_transient_error_goes_through() -> None:
    def away(_: Sequence[Message]) -> Sequence[Result]:
        raise Transient("the store is away")

    with pytest.raises(Transient, match="store"):
        results(Service(away), [Sighting()])


def test_a_handler_that_forgets_a_message_is_a_crash() -> None:
    with pytest.raises(RuntimeError, match="returned 1 results for 2 messages"):
        results(Service(lambda _: [[]]), [Sighting(), Sighting()])


@pytest.mark.parametrize("value", [b"\xff\xff", b"\x0a\x05ab"])
def test_bytes_that_are_no_message_are_poison_that_names_the_type(value: bytes) -> None:
    record = Record("t", 0, 0, None, value, 0)
    poison = decoded(record, {"t": protobuf_decoder(Sighting)})
    assert isinstance(poison, Poison)
    assert poison.kind == "undecodable"
    assert "resight.v1.Sighting" in poison.reason


@pytest.mark.logs_errors
@pytest.mark.parametrize("error", [OverflowError("too far"), RecursionError(), MemoryError()])
def test_whatever_a_decoder_raises_is_poison_for_its_record(error: Exception) -> None:
    def fails(record: Record) -> Message:  # noqa: ARG001
        raise error

    found = decoded(Record("t", 2, 7, None, b"", 0), {"t": fails})
    assert isinstance(found, Poison)
    assert (found.kind, "t partition 2 offset 7" in found.reason) == ("undecodable", True)
    assert type(error).__name__ in found.reason


def test_a_record_that_could_not_be_read_never_reaches_its_decoder() -> None:
    found = decoded(Record("t", 2, 7, None, None, 0, fault="its checksum is wrong"), {})
    assert isinstance(found, Poison)
    assert found.kind == "unreadable-record"
    assert "t partition 2 offset 7 can't be read: its checksum is wrong" in found.reason
