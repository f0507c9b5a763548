"""Limit on dead letters, so that a bad deployment cannot empty a topic.

A broken model or a wrong store makes every record poison. A few dead letters are normal; all of
them are a fault of the deployment.
"""

from collections import deque

# What the embedder handles in a few minutes.
LATEST = 1000


class DeadLetterLimit:
    """Watches the latest records.

    Args:
        count: dead letters tolerated among them, whatever their share.
        share: tolerated share above `count`.
        latest: number of records watched.
    """

    def __init__(self, count: int, share: float, latest: int = LATEST) -> None:
        self._count = count
        self._share = share
        self._given_up: deque[bool] = deque(maxlen=latest)

    def refusal(self, given_up: list[bool]) -> str:
        """Return why a batch's dead letters must not be written; '' if they may.

        `given_up`: for each record, whether it would be dead-lettered. Accepted batches are
        counted.
        """
        after = deque([*self._given_up, *given_up], self._given_up.maxlen)
        letters = sum(after)
        if not any(given_up) or letters <= self._count or letters <= self._share * len(after):
            self._given_up = after
            return ""
        return (
            f"{letters} of the latest {len(after)} records could not be handled, more than the "
            f"tolerated {self._share:.0%}, so the service has stopped and the rest stays on its "
            f"topic. Fix the service, its settings or the source of the records, then restart it: "
            f"that starts a new count"
        )
