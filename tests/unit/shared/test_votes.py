import numpy as np
import pytest

from shared.errors import Poison
from shared.messages import Votes
from shared.votes import KeypointVotes, in_steps


def test_votes_read_back_are_the_same() -> None:
    made = KeypointVotes(
        7, np.array([[3, 70_000], [1, 0]]), np.array([[250, 9], [4, 0]], dtype=np.uint8)
    )
    read = KeypointVotes.of(made.message())
    assert read.keypoints == 7
    assert read.numbers.tolist() == made.numbers.tolist()
    assert read.similarities.tolist() == made.similarities.tolist()


def test_no_votes_are_the_empty_message() -> None:
    assert KeypointVotes.of(Votes()).numbers.shape == (0, 1)


def test_votes_whose_parts_disagree_are_refused() -> None:
    with pytest.raises(Poison, match="votes of 4 and 3 bytes"):
        KeypointVotes.of(Votes(places=2, numbers=bytes(4), similarities=bytes(3)))


def test_cosines_are_rounded_to_steps() -> None:
    assert in_steps(np.array([-0.4, 0.0, 0.5, 1.0], np.float32)).tolist() == [0, 0, 128, 255]
