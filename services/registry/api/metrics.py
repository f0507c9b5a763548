"""Metrics of the API and pages."""

from shared.process.metrics import counter, histogram

KINDS = ("api", "page", "file")
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")

REQUESTS = counter(
    "resight_api_requests_total",
    "Requests by kind and status class.",
    kind=KINDS,
    status=CLASSES,
)
SECONDS = histogram(
    "resight_api_request_seconds", "Time from a request to the start of its response.", kind=KINDS
)
for _kind in KINDS:
    SECONDS.labels(_kind)
WRONG_KEYS = counter("resight_api_wrong_keys_total", "Keys and sign-ins that were refused.")


def kind_of(path: str) -> str:
    """Return the metric label of a path."""
    if path.startswith("/api/"):
        return "api"
    return "file" if path.startswith("/static/") else "page"
