"""Labelled pictures through the services' own code become a calibration that the registry loads."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from recognition.drawn.dataset import draw
from resight.main import app
from services.registry import calibration
from tests.model_files import tiny_model

# Eight animals support no smaller error.
COMMON = ["--max-false-known", "0.4", "--max-false-new", "0.4"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    draw(folder, individuals=8, sightings=6.0, seed=3, species=["drawn leopard"])
    return folder


def test_a_calibration_of_drawn_animals_tells_same_from_different(
    drawn: Path, model: Path, tmp_path: Path
) -> None:
    target = tmp_path / "calibration.json"
    options = ["--output", str(target), "--model", str(model), "--name", "drawn", *COMMON]
    result = CliRunner().invoke(app, ["calibrate", str(drawn), *options, "--check", "2"])
    assert "of new animals at most" in result.output
    assert "half of the individuals can't be checked" in result.output
    assert result.exit_code == 0, result.output
    fitted = calibration.load(target)
    assert fitted.name == "drawn"
    assert fitted.pooled.queries == 48
    assert 0 <= fitted.pooled.new <= fitted.pooled.known < 1
    assert fitted.pooled.promise is not None
    assert fitted.pooled.promise.bound <= 0.4
    assert [model.role for model in fitted.models] == ["encoder", "extractor", "matcher"]
    # Too few pictures for a curve of their own.
    assert fitted.species == {}


def test_an_error_that_the_animals_do_not_support_is_refused(
    drawn: Path, model: Path, tmp_path: Path
) -> None:
    target = tmp_path / "calibration.json"
    options = ["--output", str(target), "--model", str(model)]
    result = CliRunner().invoke(app, ["calibrate", str(drawn), *options])
    assert result.exit_code == 1
    assert "takes 149 new individuals" in result.output
    assert "accept a greater error" in result.output
    assert not target.exists()


def test_pictures_without_labels_are_refused(model: Path, drawn: Path, tmp_path: Path) -> None:
    one = tmp_path / "pictures"
    one.mkdir()
    picture = next(drawn.rglob("*.jpg"))
    (one / picture.name).write_bytes(picture.read_bytes())
    target = tmp_path / "calibration.json"
    options = ["--output", str(target), "--model", str(model)]
    result = CliRunner().invoke(app, ["calibrate", str(one), *options])
    assert result.exit_code == 1
    assert "no identity" in result.output
    assert not target.exists()
