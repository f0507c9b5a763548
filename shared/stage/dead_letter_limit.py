"""How much a service may give up before it stops: a bad deployment must not empty a topic.

A model that can't read any picture, or a store that answers with somebody else's objects,
makes every record poison. One by one each is right to be given up; all of them are not.
"""

from collections import deque

# As many records as the embedder sees in some minutes.
LATEST = 1000


class DeadLetterLimit:
    """Watches the latest records. Keeps no clock.

    Args:
        count: so many dead letters among them are always in order.
        share: above `count`, this share of them is too much.
        latest: how many the latest are.
    """

    def __init__(self, count: int, share: float, latest: int = LATEST) -> None:
        self._count = count
        self._share = share
        self._given_up: deque[bool] = deque(maxlen=latest)

    def refusal(self, given_up: list[bool]) -> str:
        """Return why a batch's dead letters must not be written; '' where they may.

        `given_up` tells of each record of the batch whether it is to be given up. What is
        not refused counts from now on.
        """
        after = deque([*self._given_up, *given_up], self._given_up.maxlen)
        letters = sum(after)
        if not any(given_up) or letters <= self._count or letters <= self._share * len(after):
            self._given_up = after
            return ""
        return (
            f"{letters} of the latest {len(after)} records could not be handled, more than the "
            f"{self._share:.0%} that may be given up, so the service has stopped and keeps the "
            "rest on its topic. If the service or its settings are at fault, repair them and start "
            "it again; if the records are, start it with a larger RESIGHT_STAGE_LETTER_SHARE "
            "or RESIGHT_STAGE_LETTER_COUNT"
        )
