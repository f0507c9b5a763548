"""What answers are worth, as a picture."""

from pathlib import Path

from PIL import Image

from recognition.clustering_metrics import Pairwise
from recognition.figures.answers_curve import draw
from recognition.replay.stream import Score


def _score(f1: float) -> Score:
    pairs = Pairwise(0.95, f1, f1)
    return Score(
        sightings=20,
        decisions={"known": 0, "new": 0, "review": 20, "unidentifiable": 0},
        pairs=pairs,
        bcubed=pairs,
        ari=f1,
        false_known=None,
        individuals=5,
        individuals_true=4,
        merges=0,
        splits=0,
    )


def test_the_picture_shows_where_it_begins_and_how_it_goes_on(tmp_path: Path) -> None:
    rising = draw(_score(0.2), [_score(0.5), _score(0.9)], tmp_path / "rising.png", "zebras")
    flat = draw(_score(0.2), [], tmp_path / "flat.png", "zebras")
    with Image.open(rising) as one, Image.open(flat) as other:
        assert one.size == other.size
        assert one.size[0] >= 800
        assert one.tobytes() != other.tobytes()
