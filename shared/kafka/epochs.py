"""Decisions count only in the latest epoch: see `services/registry/ledger/epoch.py`."""


class LatestEpoch:
    """Tracks the latest epoch seen."""

    def __init__(self) -> None:
        self._latest: str | None = None

    def counts(self, epoch: str) -> bool:
        """Return whether an epoch is the latest one seen."""
        if self._latest is None or epoch > self._latest:
            self._latest = epoch
        return epoch == self._latest

    def begins(self, epoch: str) -> bool:
        """Return whether an epoch is newer than the latest one seen."""
        return self._latest is not None and epoch > self._latest
