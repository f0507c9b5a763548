"""Runs a handler on a batch so that each message gets its own result."""

import logging
from collections.abc import Mapping, Sequence
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from shared.errors import Poison
from shared.records import Decoder, Handler, Record, Result

M = TypeVar("M", bound=Message)

log = logging.getLogger(__name__)


def protobuf_decoder(kind: type[M]) -> Decoder[M]:
    """Return the decoder of a topic that carries plain protobuf of one type."""

    def decode(record: Record) -> M:
        try:
            return kind.FromString(record.value or b"")
        except DecodeError as error:
            raise Poison(
                f"the {len(record.value or b'')} bytes are not a {kind.DESCRIPTOR.full_name}: "
                f"{error}; was it published to the wrong topic?",
                kind="undecodable",
            ) from error

    return decode


def decoded(record: Record, decoders: Mapping[str, Decoder[M]]) -> M | Poison:
    """Return the message of a record, or Poison.

    Anything that a decoder raises concerns this record alone and would be raised again.
    """
    place = f"{record.topic} partition {record.partition} offset {record.offset}"
    if record.fault:
        return Poison(
            f"the record at {place} can't be read: {record.fault}; its contents may still be "
            f"there, but this client cannot read them: publish it again",
            kind="unreadable-record",
        )
    try:
        return decoders[record.topic](record)
    except Poison as poison:
        return poison
    except Exception as error:
        log.exception("the decoder of %s failed", place)
        return Poison(
            f"the record at {place} can't be decoded: {type(error).__name__}: {error}; this is a "
            f"bug in the decoder, please report it",
            kind="undecodable",
        )


def results(handler: Handler[M], items: Sequence[M | Poison]) -> list[Result]:
    """Return one result for each item, in order; poison stays poison.

    Raises:
        Transient: the handler's; the whole batch may be given again.
        RuntimeError: the handler broke its contract.
    """
    messages = [item for item in items if not isinstance(item, Poison)]
    handled = iter(_handled(handler, messages))
    return [item if isinstance(item, Poison) else next(handled) for item in items]


def _handled(handler: Handler[M], messages: Sequence[M]) -> Sequence[Result]:
    """Handle a batch; if the handler raises Poison, handle each message separately."""
    if not messages:
        return []
    try:
        handled = handler.handle(messages)
    except Poison as poison:
        if len(messages) == 1:
            return [poison]
        return [result for message in messages for result in _handled(handler, [message])]
    if len(handled) != len(messages):
        raise RuntimeError(
            f"{type(handler).__name__}.handle returned {len(handled)} results "
            f"for {len(messages)} messages; it must return one for each"
        )
    return handled
