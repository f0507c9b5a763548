"""Health of one process over HTTP: /metrics, /healthz and /readyz on one port."""

import logging
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.errors import SettingsError
from shared.settings import TelemetrySettings

log = logging.getLogger(__name__)


class Health:
    """State of the loop, read by the HTTP server's threads.

    `ready` is the service's own check, called from those threads.
    """

    def __init__(self, limit_seconds: float, ready: Callable[[], bool]) -> None:
        self._limit = limit_seconds
        self._ready = ready
        self._turned = time.monotonic()
        self.joined = False
        self.trouble = ""

    def turn(self) -> None:
        """Record a turn of the loop."""
        self._turned = time.monotonic()

    def dead(self) -> str:
        """Return why the process should be restarted; empty while it is alive."""
        still = time.monotonic() - self._turned
        if still <= self._limit:
            return ""
        return f"the loop has not turned for {still:.0f} s (limit {self._limit:.0f} s)"

    def unready(self) -> str:
        """Return why the service is not ready; empty when it is."""
        if self.trouble:
            return f"waiting: {self.trouble}"
        if not self.joined:
            return "joining the consumer group"
        try:
            return "" if self._ready() else "a dependency of the service does not respond"
        except Exception as error:  # a failing check is an answer, not a crash
            log.exception("the readiness check failed")
            return f"a dependency of the service does not respond: {error}"


class HealthServer:
    """Serves `Health` and metrics from background threads."""

    def __init__(self, settings: TelemetrySettings, health: Health) -> None:
        self._settings = settings
        self._health = health
        self._server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int:
        """The port it listens on; 0 before `start`."""
        return self._server.server_port if self._server else 0

    def start(self) -> None:
        """Listen.

        Raises:
            SettingsError: the address is taken or not of this machine.
        """
        where = (self._settings.host, self._settings.port)
        try:
            server = ThreadingHTTPServer(where, _handler(self._health))
        except OSError as error:
            raise SettingsError(
                f"can't listen on {where[0]}:{where[1]}: {error.strerror}; "
                "see RESIGHT_TELEMETRY_HOST and RESIGHT_TELEMETRY_PORT"
            ) from error
        server.daemon_threads = True
        self._server = server
        threading.Thread(target=server.serve_forever, name="health", daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/metrics":
                    self._answer(HTTPStatus.OK, generate_latest(), CONTENT_TYPE_LATEST)
                case "/healthz":
                    self._verdict(health.dead())
                case "/readyz":
                    self._verdict(health.unready())
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, b"try /metrics, /healthz or /readyz\n")

        def _verdict(self, trouble: str) -> None:
            status = HTTPStatus.SERVICE_UNAVAILABLE if trouble else HTTPStatus.OK
            self._answer(status, f"{trouble or 'ok'}\n".encode())

        def _answer(
            self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8"
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            log.debug(format, *args)

    return Handler
