"""Structured logs: one JSON object a line, on stderr.

Give IDs as `extra={"sighting": …, "deployment": …}`. Image bytes, coordinates
and secrets never go into a log.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from shared.process.text import json_line

# Allowed keys of `extra`; others are dropped.
FIELDS = ("sighting", "capture", "deployment", "gallery", "topic", "partition", "offset")


class JsonFormatter(logging.Formatter):
    """Formats a record as JSON: time, level, service, message, IDs, error."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json_line(entry)


def configure_logging(service: str, level: str, stream: TextIO | None = None) -> None:
    """Send all logs of this process as JSON to `stream`, stderr by default."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # Below WARNING the Kafka client logs whole keys and values, so images and places.
    logging.getLogger("kafka").setLevel(max(logging.WARNING, logging.getLevelName(level)))
