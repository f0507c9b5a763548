"""Which broker a command talks to."""

import os
from pathlib import Path

from resight.stack.state import StackError, running
from shared.settings import KafkaSettings, load

VARIABLE = "RESIGHT_KAFKA_BOOTSTRAP_SERVERS"


def kafka_settings(bootstrap_servers: str | None, data_dir: Path) -> KafkaSettings:
    """Return the broker that was named, else that of the stack, else that of the environment.

    Raises:
        StackError: none of the three.
        SettingsError: the environment's settings are malformed.
    """
    stack = running(data_dir)
    if stack and bootstrap_servers in (None, stack.bootstrap_servers):
        return stack.kafka()
    if bootstrap_servers:
        return load(KafkaSettings).model_copy(update={"bootstrap_servers": bootstrap_servers})
    if os.environ.get(VARIABLE):
        return load(KafkaSettings)
    raise StackError(
        f"no stack runs from {data_dir}; start one with `resight up`, or name a broker with "
        f"--bootstrap-servers or {VARIABLE}"
    )
