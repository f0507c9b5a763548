"""Limits on the number of connections, and on the time to send headers.

uvicorn limits neither; a client that sends a header line a minute would hold one for ever.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

# From the connection, or the first byte of a further request, to the end of the headers.
HEADER_SECONDS = 10.0


def protocol(most: int, header_seconds: float = HEADER_SECONDS) -> type[H11Protocol]:
    """Return uvicorn's protocol with a maximum number of connections."""

    class Limited(H11Protocol):
        """One connection."""

        _patience: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > most:
                transport.abort()
                return
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is None or self.cycle.response_complete:
                self._wait()
            else:
                self._rest()

        def connection_lost(self, exc: Exception | None) -> None:
            self._rest()
            super().connection_lost(exc)

        def _wait(self) -> None:
            if self._patience is None:
                self._patience = self.loop.call_later(header_seconds, self.transport.abort)

        def _rest(self) -> None:
            if self._patience is not None:
                self._patience.cancel()
                self._patience = None

    return Limited
