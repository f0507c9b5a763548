"""Labels in captures: who an animal is, said by whoever publishes it. Whose word counts, and how
the importer proves that it is the importer.

A label becomes an entry of the ledger with probability 1, and anybody may publish a capture, so by
default nobody's label counts but what is signed with the operator's secret.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import Settings

# Of a captures record: HMAC-SHA256 of its value, in hexadecimal. The secret itself never travels.
HEADER = "labels-signature"


class LabelSettings(Settings):
    """Whose labels in captures count: in the embedder, and in what imports catalogues."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_LABELS_")

    taken: Literal["off", "on"] = Field(
        "off",
        description="off: labels in captures count only from the deployments named below, or where "
        "they are signed. on: everybody's do, so whoever can publish can name animals.",
    )
    deployments: tuple[str, ...] = Field(
        (),
        description='Deployments whose labels count, as JSON such as ["zoo-2026"]. Whoever can '
        "publish can use their names.",
    )
    secret: SecretStr = Field(
        SecretStr(""),
        description="Shared by the embedder and by what imports catalogues (the API, `resight "
        "import`), which signs with it. Empty: nothing is signed.",
    )

    def headers(self, value: bytes) -> list[tuple[str, bytes]]:
        """Return the headers that prove a record's labels; none without a secret."""
        secret = self.secret.get_secret_value()
        return [(HEADER, _signature(secret, value))] if secret else []

    def count(self, deployment: str, value: bytes, headers: Mapping[str, bytes]) -> bool:
        """Return whether the labels of a record count."""
        if self.taken == "on" or deployment in self.deployments:
            return True
        secret, signature = self.secret.get_secret_value(), headers.get(HEADER, b"")
        return bool(secret) and hmac.compare_digest(signature, _signature(secret, value))


def _signature(secret: str, value: bytes) -> bytes:
    return hmac.new(secret.encode(), value, hashlib.sha256).hexdigest().encode()
