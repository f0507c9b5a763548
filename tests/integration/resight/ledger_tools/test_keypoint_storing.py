"""`resight ledger keypoints` stores what crops of before lack, so the matcher computes nothing."""

from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from typer.testing import CliRunner

from resight.main import app
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.blobs import BlobStore
from tests.support.identities import CALIBRATION
from tests.support.queries import GALLERY, NOON, ledger_at, matches, sighting
from tests.support.samples.pictures import coat


def _computed() -> float:
    name = "resight_matcher_keypoints_total"
    return REGISTRY.get_sample_value(name, {"source": "computed"}) or 0.0


@pytest.fixture
def enrolled(ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command's options, for a ledger with two crops, one of which is gone."""
    monkeypatch.setenv("RESIGHT_BLOBS_CROPS_URL", (tmp_path / "store").as_uri())
    monkeypatch.setenv("RESIGHT_SEGMENTER_KIND", "none")
    ledger, crops = ledger_at(ledger_url), BlobStore((tmp_path / "store").as_uri())
    service = RegistryService(ledger, CALIBRATION, RegistrySettings(), now=lambda: NOON)
    for number, name in enumerate(("there", "gone")):
        query = sighting(name)
        query.crop.CopyFrom(crops.put(f"crops/{name}.jpg", coat(number)))
        service.handle([matches(query, [], watermark=ledger.count(GALLERY, "enrolments"))])
    (tmp_path / "store" / "crops" / "gone.jpg").unlink()
    return ["ledger", "keypoints", "--ledger-url", ledger_url, "--data-dir", str(tmp_path)]


def test_what_the_store_lacks_is_computed_once(enrolled: list[str], tmp_path: Path) -> None:
    before = _computed()
    first = CliRunner().invoke(app, enrolled)
    assert first.exit_code == 0, first.output
    assert "lookup does not know 1 of them yet" in first.output
    assert f"{GALLERY}: 1 with stored keypoints" in first.output
    assert "gone: " in first.output
    assert _computed() == before + 1
    stored = [path for path in (tmp_path / "store" / "keypoints").rglob("*") if path.is_file()]
    assert len(stored) == 1
    again = CliRunner().invoke(app, enrolled)
    assert again.exit_code == 0
    assert "lookup does not know" not in again.output
    assert _computed() == before + 1
