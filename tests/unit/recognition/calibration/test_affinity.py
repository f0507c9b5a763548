"""What a pair needs at least to speak for one animal."""

import numpy as np
import pytest

from recognition.calibration.affinity import least_distinctive
from recognition.calibration.stream import Stream
from services.registry.calibration.affinity import PAIR, STEPS, Affinity, steps
from tests.support.identities import by
from tests.unit.recognition.calibration.test_stream import LISTS

# Every pair speaks for one animal, by its log-odds.
EVERY = Affinity(pair=by(PAIR, 1.0), against_lists=by(STEPS, 0.0, log_odds=1.0))


def test_nearly_all_right_pairs_of_a_set_are_above_the_floor() -> None:
    stream = Stream(LISTS, ("a", "a", "b", "a"))
    other = Stream({number: LISTS[number] for number in (1, 2)}, ("a", "a"))
    left, right, _, distinct = steps(stream.pairs, EVERY.pair, stream.groups)
    of_b = (left == 2) | (right == 2)
    floor, of_other = least_distinctive([[stream]], EVERY), least_distinctive([[other]], EVERY)
    assert distinct[of_b].max() < distinct[~of_b].min() <= floor < np.median(distinct[~of_b])
    both = least_distinctive([[stream], [other]], EVERY)
    assert both == pytest.approx((floor + of_other) / 2)


def test_pairs_that_speak_for_nobody_do_not_lower_it() -> None:
    nobody = EVERY.model_copy(update={"pair": by(PAIR, -9.0)})
    assert least_distinctive([[Stream(LISTS, ("a", "a", "b", "a"))]], nobody) == 0.0
    assert least_distinctive([], EVERY) == 0.0
