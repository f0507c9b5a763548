"""Learning rate schedule."""

import math


def rate(step: int, steps: int, warm_up: float) -> float:
    """Return the rate's factor at one of `steps` steps, above 0 and at most 1.

    It rises linearly for the share `warm_up` of the steps, then falls as a half cosine.
    """
    rising = max(1, round(steps * warm_up))
    if step < rising:
        return (step + 1) / rising
    gone = (step - rising + 1) / max(1, steps - rising + 1)
    return 0.5 * (1 + math.cos(math.pi * gone))
