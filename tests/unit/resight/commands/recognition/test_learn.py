"""`resight learn`: both commands on the two halves of one ledger."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from resight.commands.recognition import adapt, calibrate
from resight.main import app

RUN = CliRunner()


def test_it_adapts_on_one_half_and_calibrates_on_the_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    called: dict[str, dict[str, Any]] = {}

    def note(name: str, command: ModuleType) -> None:
        def instead(*_: Any, **named: Any) -> None:
            called[name] = named

        monkeypatch.setattr(command, "fit", instead)

    note("adapt", adapt)
    note("calibrate", calibrate)
    options = ["--output", str(tmp_path), "--max-false-known", "0.1", "--drawn", "7"]
    done = RUN.invoke(app, ["learn", *options])
    assert done.exit_code == 0, done.output
    assert called["adapt"]["individuals"] == "even"
    assert called["calibrate"]["individuals"] == "odd"
    assert called["calibrate"]["model"] == called["adapt"]["output"] / "model.onnx"
    given = called["calibrate"]["options"]
    assert (given.synthetic, given.max_false_known) == (7, 0.1)
    assert f"resight up --model {tmp_path / 'model.onnx'}" in done.stdout


def test_without_a_sure_individual_nothing_is_learnt(ledger_url: str, tmp_path: Path) -> None:
    options = ["--output", str(tmp_path / "learnt"), "--ledger-url", ledger_url]
    refused = RUN.invoke(
        app, ["learn", *options], env={"RESIGHT_BLOBS_CROPS_URL": tmp_path.as_uri()}
    )
    assert refused.exit_code == 1
    assert "no confident individuals" in refused.stderr
    assert not (tmp_path / "learnt").exists()
