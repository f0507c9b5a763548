"""Readiness of a service."""

import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit

_SECONDS = 1.0


@dataclass(frozen=True)
class Readiness:
    """answers: whether the service responds. trouble: why it is not ready."""

    answers: bool
    ready: bool
    trouble: str


def readiness(address: str) -> Readiness:
    """Ask /readyz of a service at `http://host:port`."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=_SECONDS)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException):
        return Readiness(answers=False, ready=False, trouble="")
    finally:
        connection.close()
    ready = answer.status == http.HTTPStatus.OK
    return Readiness(answers=True, ready=ready, trouble="" if ready else text)


def ready(address: str) -> bool:
    """Return whether a service is ready; one that does not respond is not."""
    return readiness(address).ready
