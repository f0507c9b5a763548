"""The ledger's server: commands, functions, and errors."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.registry.ledger.keys import NAMES
from services.registry.settings import LedgerSettings
from shared.errors import ResightError, Transient
from shared.redis_settings import redis_options

LIBRARY = Path(__file__).with_name("ledger.lua")
_KEY_NAMES = ", ".join(f"'{name}'" for name in NAMES)

# Prefixes of errors that are temporary.
_PASSING = ("BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MISCONF", "NOREPLICAS", "READONLY",
            "TRYAGAIN", "UNBLOCKED")  # fmt: skip

Argument = str | bytes | int


class LedgerError(ResightError):
    """The ledger's server holds other data than a ledger, or refuses commands."""


class Store:
    """A Redis or Valkey server with the ledger's functions.

    It connects at the first command. Every command raises Transient when the server is down, full
    or not ready, and LedgerError for errors that waiting cannot fix. All functions are idempotent,
    so a command whose response was lost is repeated.

    `options` are the client's besides the URL (see `shared.redis_settings`). `source` is the
    function library. Its digest becomes part of the functions' names, so that replicas of two
    versions never run each other's.
    """

    def __init__(
        self,
        url: str,
        timeout_seconds: float,
        source: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        text = (LIBRARY.read_text() if source is None else source).replace("KEY_NAMES", _KEY_NAMES)
        self._version = hashlib.sha256(text.encode()).hexdigest()[:12]
        self._library = text.replace("VERSION", self._version)
        self._client: Any = redis.Redis.from_url(  # the client's commands are untyped
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 1),
            **(options or {}),
        )
        at = self._client.connection_pool.connection_kwargs
        self._name = str(at.get("path") or f"{at.get('host')}:{at.get('port')}")

    @classmethod
    def at(cls, settings: LedgerSettings) -> Self:
        """Return the configured store.

        Raises:
            SettingsError: its connection is misconfigured.
        """
        options = redis_options(settings, settings.url)
        return cls(settings.url, settings.timeout_seconds, options=options)

    def load(self) -> None:
        """Install the functions; idempotent."""
        self.run("FUNCTION", "LOAD", "REPLACE", self._library)

    def call(self, function: str, keys: list[str], *arguments: Argument, write: bool = True) -> Any:
        """Call a library function; installs it if the server has lost it."""
        name = f"resight_{function}_{self._version}"
        command = ("FCALL" if write else "FCALL_RO", name, len(keys), *keys, *arguments)
        try:
            return self._command(*command)
        except redis.ResponseError as error:
            if "function not found" not in str(error).lower():
                raise self._meaning(error, f"{function} of {keys[0]}") from error
        self.load()
        return self.run(*command)

    def run(self, *command: Argument) -> Any:
        """Run one command and return the client's result."""
        try:
            return self._command(*command)
        except redis.ResponseError as error:
            raise self._meaning(error, " ".join(str(part) for part in command[:2])) from error

    def run_all(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """Run commands in one pipeline; each must be idempotent."""
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        try:
            found: list[Any] = pipeline.execute()
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise Transient(f"the ledger at {self._name} does not respond: {error}") from error
        except redis.ResponseError as error:
            raise self._meaning(error, f"{len(commands)} commands") from error
        return found

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _command(self, *command: Argument) -> Any:
        try:
            return self._client.execute_command(*command)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise Transient(f"the ledger at {self._name} does not respond: {error}") from error

    def _meaning(self, error: redis.ResponseError, command: str) -> ResightError:
        text = f"the ledger at {self._name} refused {command}: {error}"
        if isinstance(error, redis.exceptions.OutOfMemoryError):
            return Transient(
                f"{text}; it is full: raise its maxmemory, and work continues automatically"
            )
        if isinstance(error, redis.exceptions.ReadOnlyError) or str(error).startswith(_PASSING):
            return Transient(text)
        if "WRONGTYPE" in str(error):
            return LedgerError(
                f"{text}; another program writes these keys: give the ledger its own database "
                "(RESIGHT_LEDGER_URL)"
            )
        return LedgerError(text)
