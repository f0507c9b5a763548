"""The errors that the stage loop distinguishes.

    ResightError
    ├── Transient   a dependency is down: pause, back off, try the same batch again
    ├── Poison      this message can't ever be handled: dead-letter it
    └── SettingsError   the process can't start as configured

Anything else is a crash: the process ends without committing and is restarted.
"""

from typing import Literal

# Kinds of poison. They are values of a metric's label, so the list is closed.
PoisonKind = Literal[
    "bad-box",
    "bad-embedding",
    "bad-evidence",
    "bad-gallery",
    "bad-header",
    "bad-place",
    "bad-reference",
    "bad-text",
    "bad-time",
    "box-outside-image",
    "corrupt-image",
    "empty-image",
    "empty-value",
    "ends-the-decoder",
    "ends-the-service",
    "identity-conflict",
    "incomplete",
    "invalid",
    "labels-refused",
    "missing-blob",
    "missing-crop",
    "no-image",
    "not-a-capture",
    "output-too-large",
    "too-many-animals",
    "too-many-bytes",
    "too-many-galleries",
    "too-many-pixels",
    "too-much-memory",
    "too-slow",
    "truncated-image",
    "undecodable",
    "unreadable-blob",
    "unreadable-record",
    "unsupported-format",
    "unsupported-pixels",
    "wrong-dimension",
    "wrong-hash",
    "wrong-size",
]


class ResightError(Exception):
    """Base of all errors of this project."""


class Transient(ResightError):
    """A dependency failed; the same call may succeed later."""


class Poison(ResightError):
    """A message that can never be handled.

    Operators read the text in the dead-letter topic: it names the thing, the value and the fix.
    `kind` is a slug for metrics, of a closed list. `sightings` counts the animals in the message.
    """

    def __init__(self, reason: str, *, kind: PoisonKind = "invalid", sightings: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
        self.sightings = sightings


class SettingsError(ResightError):
    """A setting is unknown, missing or out of range."""
