"""Connections of commands: broker, ledger and stores."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from resight.stack_state import LABELS_SECRET, StackError, running
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.store import Store
from services.registry.settings import LedgerSettings
from shared.blobs import BlobStore
from shared.environment import load
from shared.labels import LabelSettings
from shared.redis_settings import REDIS_TLS
from shared.settings import BlobSettings, KafkaSettings

# No stored crop is larger.
MOST_CROP_BYTES = 64 * 1024 * 1024
VARIABLE = "RESIGHT_KAFKA_BOOTSTRAP_SERVERS"


def kafka_settings(bootstrap_servers: str | None, data_dir: Path) -> KafkaSettings:
    """Return the named broker, else the stack's, else the environment's.

    Raises:
        StackError: there is none.
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
        f"no stack is running from {data_dir}; start one with `resight up`, or name a broker with "
        f"--bootstrap-servers or {VARIABLE}"
    )


def label_settings(data_dir: Path) -> LabelSettings:
    """Return how labels are signed: by the stack's secret, else by the environment's."""
    if running(data_dir) and (data_dir / LABELS_SECRET).is_file():
        secret = {"RESIGHT_LABELS_SECRET_FILE": str(data_dir / LABELS_SECRET)}
        return load(LabelSettings, secret)
    return load(LabelSettings)


def crops_at(data_dir: Path) -> BlobStore:
    """Return the store of crops of the stack, else of the environment."""
    stack = running(data_dir)
    return BlobStore(stack.crops_url if stack else load(BlobSettings).crops_url)


@contextmanager
def open_ledger(url: str) -> Iterator[Ledger]:
    """Open the ledger of a store for the duration of a block."""
    with closing(_store(url)) as store:
        yield Ledger(store)


def ledger_at(url: str | None, data_dir: Path) -> Ledger:
    """Return the named ledger, else the stack's, else the environment's."""
    return Ledger(_store(ledger_address(url, data_dir)))


def _store(url: str) -> Store:
    settings = load(LedgerSettings)
    if url == settings.url or url.startswith(REDIS_TLS):
        return Store.at(settings.model_copy(update={"url": url}))
    return Store(url, settings.timeout_seconds)  # a stack's own server has no password


def ledger_address(url: str | None, data_dir: Path) -> str:
    """Return the URL of the named ledger, else of the stack's, else the environment's."""
    stack = running(data_dir)
    return url or (stack.ledger_url if stack else load(LedgerSettings).url)
