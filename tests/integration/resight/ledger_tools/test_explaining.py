"""`resight explain` draws where two pictures agree, and says what that amounts to."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from recognition.figures.explanation import draw
from resight.main import app
from services.matcher.engine import build_engine
from services.matcher.explanation import explain, summary
from services.matcher.networks import pair_matcher
from services.matcher.settings import MatcherSettings
from services.registry.ledger.ledger import Ledger
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.blobs import BlobStore
from shared.images import codec
from shared.keypoints.keypoints import Keypoints, none_in
from tests.support.identities import CALIBRATION
from tests.support.queries import NOON, ledger_at, matches, sighting
from tests.support.samples.pictures import coat

SETTINGS = MatcherSettings(segmenter="none")
SHIFT = 60


def _shifted(content: bytes) -> bytes:
    """Return the picture without its left edge: what was at x is at x - SHIFT."""
    target = io.BytesIO()
    with Image.open(io.BytesIO(content)) as picture:
        picture.crop((SHIFT, 0, picture.width, picture.height)).save(target, "JPEG", quality=95)
    return target.getvalue()


@pytest.fixture(scope="module")
def pair() -> tuple[Keypoints, Keypoints]:
    networks = build_engine(SETTINGS)
    one, other = coat(3), _shifted(coat(3))
    return (
        networks.extractor.extract(codec.decode(one)),
        networks.extractor.extract(codec.decode(other)),
    )


def test_matches_lead_from_a_place_to_the_same_place(pair: tuple[Keypoints, Keypoints]) -> None:
    found = explain(build_engine(SETTINGS), pair_matcher(SETTINGS), *pair)
    assert found.evidence.matches == found.counts.sum() > 20
    assert found.evidence.inliers == pytest.approx(found.inlier.sum(), abs=2)
    starts = found.ends[0][found.inlier] * [320, 240]
    ends = found.ends[1][found.inlier] * [320 - SHIFT, 240]
    assert np.median(np.abs(starts - [SHIFT, 0] - ends).max(axis=1)) < 2
    assert f"{found.evidence.matches} matches" in summary(found)


def test_what_is_background_is_grey_and_no_evidence(
    pair: tuple[Keypoints, Keypoints], tmp_path: Path
) -> None:
    query, candidate = pair
    left = query.positions[:, 0] < 160
    marked = query.marked(~left)
    found = explain(build_engine(SETTINGS), pair_matcher(SETTINGS), marked, candidate)
    assert found.counts.any()
    assert not found.counts.all()
    assert not (found.inlier & ~found.counts).any()
    assert (found.ends[0][found.counts, 0] >= 0.5).all()
    assert "outside the animals, in grey" in summary(found)
    pictures = codec.decode(coat(3)), codec.decode(_shifted(coat(3)))
    draw(found, pictures, ("one", "other"), tmp_path / "pair.png")
    with Image.open(tmp_path / "pair.png") as drawn:
        assert drawn.width == 2 * (28 + 640) + 8


def test_a_picture_without_keypoints_has_a_reason(pair: tuple[Keypoints, Keypoints]) -> None:
    found = explain(build_engine(SETTINGS), pair_matcher(SETTINGS), none_in(320, 240, 128), pair[1])
    assert len(found.confidence) == 0
    assert "too few to compare" in summary(found)


def _decided(ledger: Ledger, crops: BlobStore, name: str, content: bytes) -> None:
    query = sighting(name)
    query.crop.CopyFrom(crops.put(f"crops/{name}.jpg", content))
    before = ledger.count("default/plains-zebra", "enrolments")
    message = matches(query, [], watermark=before)
    RegistryService(ledger, CALIBRATION, RegistrySettings(), now=lambda: NOON).handle([message])


def test_the_command_writes_the_picture_of_two_sightings(
    ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESIGHT_BLOBS_CROPS_URL", (tmp_path / "store").as_uri())
    monkeypatch.setenv("RESIGHT_SEGMENTER_KIND", "none")
    ledger, crops = ledger_at(ledger_url), BlobStore((tmp_path / "store").as_uri())
    _decided(ledger, crops, "one", coat(3))
    _decided(ledger, crops, "other", _shifted(coat(3)))
    picture = tmp_path / "out" / "pair.png"
    options = ["--output", str(picture), "--ledger-url", ledger_url, "--data-dir", str(tmp_path)]
    done = CliRunner().invoke(app, ["explain", "one", "other", *options, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["depth"] == "lightglue"
    assert told["matches"] > 20
    assert _colours(picture) > 100
    unknown = CliRunner().invoke(app, ["explain", "one", "nobody", *options])
    assert unknown.exit_code == 1
    assert "no sighting nobody in the ledger" in unknown.output


def _colours(picture: Path) -> int:
    """Return how many pixels are as yellow as a sure match, and as nothing else is."""
    with Image.open(picture) as drawn:
        pixels: NDArray[np.int64] = np.asarray(drawn.convert("RGB")).astype(int)
    return int((np.abs(pixels - [255, 221, 51]).max(axis=2) < 60).sum())
