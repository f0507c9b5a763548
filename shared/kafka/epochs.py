"""Listeners to decisions keep to its latest epoch: see `services/registry/ledger/epoch.py`."""


class LatestEpoch:
    """Remembers the latest epoch that was heard of."""

    def __init__(self) -> None:
        self._latest: str | None = None

    def counts(self, epoch: str) -> bool:
        """Return whether what is of an epoch still counts: no later one was heard of."""
        if self._latest is None or epoch > self._latest:
            self._latest = epoch
        return epoch == self._latest

    def begins(self, epoch: str) -> bool:
        """Return whether an epoch is later than all that were heard of, and not the first one."""
        return self._latest is not None and epoch > self._latest
