"""Whether a service says that it is ready."""

import http.client
from urllib.parse import urlsplit

_SECONDS = 1.0


def ready(address: str) -> bool:
    """Ask /readyz of a service at `http://host:port`; one that does not answer is not ready."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
