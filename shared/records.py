"""Types shared by the stage loop and the services; free of Kafka."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from google.protobuf.message import Message

from shared.errors import Poison


@dataclass(frozen=True)
class Record:
    """One record of a topic, before decoding.

    `fault` says why the client could not read it; then most other fields are missing.
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
    """Decodes a record; raises Poison when that is impossible."""

    def __call__(self, record: Record) -> M_co: ...


# Result of one message: the messages that follow from it, or why it can't be handled.
Result = Sequence[Message] | Poison


@dataclass(frozen=True)
class Receipt:
    """The broker's acknowledgement of a message."""

    message: Message
    topic: str
    partition: int
    offset: int


class Handler(Protocol[M_contra]):
    """A service as the stage loop sees it.

    `M` is the message of its topic, or the union of those of its topics.
    `handle` gets the decoded messages of one batch and returns one result for
    each, in the same order. Its own writes are applied when it returns. It may raise Transient:
    then the whole batch is retried, so it must be idempotent. Any other exception is a crash.
    `acknowledged` gets the broker's receipts before the offsets are committed. `ready` says whether
    the service's dependencies respond.
    """

    def handle(self, messages: Sequence[M_contra]) -> Sequence[Result]: ...

    def acknowledged(self, receipts: Sequence[Receipt]) -> None: ...

    def ready(self) -> bool: ...
