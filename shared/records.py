"""What passes between the stage loop and a service; no Kafka in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from google.protobuf.message import Message

from shared.errors import Poison


@dataclass(frozen=True)
class Record:
    """One record of a topic as it came: what a decoder turns into a message.

    `fault` says why the client could not read it; then most of the rest is missing.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: Mapping[str, bytes] = field(default_factory=dict)
    fault: str = ""


M_co = TypeVar("M_co", bound=Message, covariant=True)
M_contra = TypeVar("M_contra", bound=Message, contravariant=True)


class Decoder(Protocol[M_co]):
    """Turns a record into a message; raises Poison when that can't be done."""

    def __call__(self, record: Record) -> M_co: ...


# What became of one message: the messages that follow from it, or why it can't be handled.
Result = Sequence[Message] | Poison


@dataclass(frozen=True)
class Receipt:
    """Proof that the broker has taken a message."""

    message: Message
    topic: str
    partition: int
    offset: int


class Handler(Protocol[M_contra]):
    """A service as the stage loop sees it.

    `M` is the message of its topic, or the union of those of its topics.
    `handle` gets the decoded messages of one batch and returns one result for
    each, in the same order. Its own writes are applied when it returns. It may
    raise Transient: then the whole batch comes again, so it must be idempotent.
    Any other exception is a crash.

    `acknowledged` is told what the broker has taken, before the offsets are
    committed. `ready` says whether the service's dependencies answer.
    """

    def handle(self, messages: Sequence[M_contra]) -> Sequence[Result]: ...

    def acknowledged(self, receipts: Sequence[Receipt]) -> None: ...

    def ready(self) -> bool: ...
