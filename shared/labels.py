"""Labels in captures: identities given by the publisher, which are trusted if signed.

A label becomes a ledger entry with probability 1, and anyone may publish captures, so by default
only labels signed with the operator's secret are accepted.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.environment import Settings, constant

# Of a captures record: HMAC-SHA256 of its value, in hexadecimal. The secret itself never travels.
HEADER = "labels-signature"
# In the list of deployments: all of them.
ANY = "*"


class LabelSettings(Settings):
    """Labels in captures."""

    model_config = SettingsConfigDict(env_prefix="RESIGHT_LABELS_")

    deployments: tuple[str, ...] = Field(
        (),
        description='Deployments whose labels are accepted unsigned, as JSON such as ["zoo-2026"]. '
        'Anyone who can publish can use these names. ["*"]: all deployments.',
    )
    secret: SecretStr = Field(
        SecretStr(""),
        description="Secret that signs the labels of imported catalogues; the embedder, the API "
        "and `resight import` share it. Empty: nothing is signed.",
    )
    taken: Literal["off", "on"] = constant(
        "off", 'Write ["*"] into RESIGHT_LABELS_DEPLOYMENTS to accept all labels.'
    )

    def headers(self, value: bytes) -> list[tuple[str, bytes]]:
        """Return the headers that sign a record's labels; none without a secret."""
        secret = self.secret.get_secret_value()
        return [(HEADER, _signature(secret, value))] if secret else []

    def count(self, deployment: str, value: bytes, headers: Mapping[str, bytes]) -> bool:
        """Return whether the labels of a record are accepted."""
        if self.taken == "on" or ANY in self.deployments or deployment in self.deployments:
            return True
        secret, signature = self.secret.get_secret_value(), headers.get(HEADER, b"")
        return bool(secret) and hmac.compare_digest(signature, _signature(secret, value))


def _signature(secret: str, value: bytes) -> bytes:
    return hmac.new(secret.encode(), value, hashlib.sha256).hexdigest().encode()
