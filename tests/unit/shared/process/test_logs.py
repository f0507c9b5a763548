import json
import logging

from shared.process.logs import JsonFormatter


def test_a_line_is_json_with_the_ids_that_were_given_and_nothing_else() -> None:
    record = logging.LogRecord("shared.stage", logging.INFO, "", 0, "dead letter: %s", ("x",), None)
    record.sighting = "ab12"
    record.deployment = "cam-1"
    record.latitude = 1.5
    entry = json.loads(JsonFormatter("embedder").format(record))
    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "level": "INFO",
        "service": "embedder",
        "logger": "shared.stage",
        "message": "dead letter: x",
        "sighting": "ab12",
        "deployment": "cam-1",
    }
