"""The README's picture shows what it says: masks take matches off the ground, onto the animal."""

from pathlib import Path

from PIL import Image

from bench.masks import main


def test_masks_take_away_the_matches_of_the_ground_and_leave_those_of_the_animal(
    tmp_path: Path,
) -> None:
    counts = main(tmp_path / "masks.png")
    with Image.open(tmp_path / "masks.png") as picture:
        assert picture.width > 1000
    stranger, same = "Two animals at one place", "One animal at two places"
    assert counts[stranger, "whole crops"][1] > 40
    assert sum(counts[stranger, "animal alone"]) < 5
    assert counts[same, "animal alone"][0] > 2 * counts[same, "whole crops"][0]
