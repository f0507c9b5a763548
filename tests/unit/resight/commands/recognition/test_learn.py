"""`resight learn`: both commands on the two halves of one ledger."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from resight.learning import adaptation, calibration
from resight.learning.pictures import LedgerPictures
from resight.main import app

RUN = CliRunner()


def test_it_adapts_on_one_half_and_calibrates_on_the_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    halves: list[str] = []
    given: dict[str, Any] = {}

    def adapt(_: Any, ledger: LedgerPictures, output: Path) -> Path:
        halves.append(ledger.individuals)
        return output / "model.onnx"

    def calibrate(_: Any, ledger: LedgerPictures, *files: Path, options: Any) -> None:
        halves.append(ledger.individuals)
        given.update(files=files, options=options)

    monkeypatch.setattr(adaptation, "adapt", adapt)
    monkeypatch.setattr(calibration, "calibrate", calibrate)
    options = ["--output", str(tmp_path), "--max-false-known", "0.1", "--synthetic", "7"]
    done = RUN.invoke(app, ["learn", *options])
    assert done.exit_code == 0, done.output
    assert halves == ["even", "odd"]
    assert given["files"] == (tmp_path / "model.onnx", tmp_path / "calibration.json")
    assert given["options"].synthetic == 7
    assert given["options"].risk_levels.false_known == 0.1
    assert f"resight up --model {tmp_path / 'model.onnx'}" in done.stdout


def test_without_a_sure_individual_nothing_is_learnt(ledger_url: str, tmp_path: Path) -> None:
    options = ["--output", str(tmp_path / "learnt"), "--ledger-url", ledger_url]
    refused = RUN.invoke(
        app, ["learn", *options], env={"RESIGHT_BLOBS_CROPS_URL": tmp_path.as_uri()}
    )
    assert refused.exit_code == 1
    assert "no confident individuals" in refused.stderr
    assert not (tmp_path / "learnt").exists()
