"""`resight export`: a model for Triton."""

from pathlib import Path

from typer.testing import CliRunner

from resight.main import app
from tests.support.samples.model_files import tiny_model


def test_the_command_lays_a_model_out_and_refuses_what_is_none(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "model.onnx")
    options = ["--triton", str(tmp_path / "models"), "--device", "cuda"]
    done = CliRunner().invoke(app, ["export", str(model), *options])
    assert done.exit_code == 0, done.output
    [folder] = (tmp_path / "models").iterdir()
    assert str(folder) in done.stdout.replace("\n", "")
    assert f'name: "{folder.name}"' in (folder / "config.pbtxt").read_text()
    (tmp_path / "text.onnx").write_text("hello")
    refused = CliRunner().invoke(app, ["export", str(tmp_path / "text.onnx"), *options])
    assert refused.exit_code == 1
    assert "is not an ONNX model" in refused.stderr
