"""Caches a handler's results on disk."""

import hashlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Generic, TypeVar

from google.protobuf.message import DecodeError, Message
from google.protobuf.proto import (  # type: ignore[import-not-found]  # no stub has it
    parse_length_prefixed,
    serialize_length_prefixed,
)

from shared.errors import Poison, ResightError
from shared.files import write_atomically
from shared.records import Handler, Receipt, Result

M = TypeVar("M", bound=Message)


class CachedHandler(Generic[M]):
    """A handler whose results are cached; see `shared.records.Handler`.

    Only for handlers whose result depends on the message alone. `identity` names everything else
    that it depends on, models and settings; `kind` is the type of results. Poison is not cached,
    since its cause may be fixed. Thread-safe if the handler is.
    """

    def __init__(
        self, handler: Handler[M], identity: str, kind: type[Message], folder: Path
    ) -> None:
        self._handler = handler
        self._identity = identity.encode()
        self._kind = kind
        self._folder = folder

    def handle(self, messages: Sequence[M]) -> list[Result]:
        """Return one result for each message, in order.

        Raises:
            ResightError: a file in the folder is damaged.
            Transient: the handler's.
        """
        paths = [self._path(message) for message in messages]
        kept = [self._read(path) for path in paths]
        missing = [index for index, answer in enumerate(kept) if answer is None]
        fresh = self._handler.handle([messages[index] for index in missing]) if missing else []
        for index, result in zip(missing, fresh, strict=True):
            kept[index] = result
            if not isinstance(result, Poison):
                write_atomically(paths[index], _packed(result))
        return [result for result in kept if result is not None]

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        """Forward to the handler."""
        self._handler.acknowledged(receipts)

    def ready(self) -> bool:
        """Return whether the handler is ready."""
        return self._handler.ready()

    def _path(self, message: M) -> Path:
        content = message.SerializeToString(deterministic=True)
        digest = hashlib.sha256(self._identity + b"\n" + content).hexdigest()
        return self._folder / digest[:2] / digest

    def _read(self, path: Path) -> Result | None:
        try:
            source = BytesIO(path.read_bytes())
        except FileNotFoundError:
            return None
        messages = []
        try:
            while (message := parse_length_prefixed(self._kind, source)) is not None:
                messages.append(message)
        except (DecodeError, ValueError) as error:
            raise ResightError(f"{path} is damaged ({error}); delete it and run again") from error
        return messages


def _packed(messages: Sequence[Message]) -> bytes:
    target = BytesIO()
    for message in messages:
        serialize_length_prefixed(message, target)
    return target.getvalue()
