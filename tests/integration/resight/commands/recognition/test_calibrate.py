"""Labelled pictures through the services' own code become a calibration that the registry loads."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recognition.synthetic.dataset import draw
from resight.main import app
from services.registry.calibration import calibration
from tests.support.samples.model_files import tiny_model

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


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the evidence stays, which the first command that needs it collects."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def fitted(drawn: Path, model: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A calibration of the drawn animals."""
    target = tmp_path_factory.mktemp("fitted") / "calibration.json"
    options = ["--output", str(target), "--model", str(model), "--cache", str(cache), *COMMON]
    result = CliRunner().invoke(app, ["calibrate", str(drawn), *options])
    assert result.exit_code == 0, result.output
    return target


def test_a_calibration_of_drawn_animals_tells_same_from_different(
    drawn: Path, model: Path, cache: Path, tmp_path: Path
) -> None:
    target = tmp_path / "calibration.json"
    kept = ["--cache", str(cache)]
    options = ["--output", str(target), "--model", str(model), "--name", "drawn", *COMMON, *kept]
    result = CliRunner().invoke(app, ["calibrate", str(drawn), *options, "--check", "2"])
    told = " ".join(result.output.split())
    assert "of new animals are called known" in told
    assert "half of the individuals can't be checked" in told
    assert result.exit_code == 0, result.output
    fitted = calibration.load(target)
    assert fitted.name == "drawn"
    assert fitted.pooled.queries == 48
    assert 0 <= fitted.pooled.new <= fitted.pooled.known < 1
    assert fitted.pooled.guarantee is not None
    assert fitted.pooled.guarantee.bound <= 0.4
    assert [model.role for model in fitted.models] == ["encoder", "extractor", "matcher"]
    # Too few pictures for a curve of their own.
    assert fitted.species == {}
    assert fitted.clustering is not None
    assert fitted.clustering.fitted_on == ("drawn-leopard",)
    assert "uncertain sightings are joined from" in result.output


def test_an_error_that_the_animals_do_not_support_is_refused(
    drawn: Path, model: Path, cache: Path, tmp_path: Path
) -> None:
    target = tmp_path / "calibration.json"
    options = ["--output", str(target), "--model", str(model), "--cache", str(cache)]
    result = CliRunner().invoke(app, ["calibrate", str(drawn), *options])
    assert result.exit_code == 1
    assert "needs 149 new individuals" in result.output
    assert "accept a higher error rate" in result.output
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


def test_a_replay_scores_the_stream_and_takes_the_evidence_that_is_there(
    drawn: Path, model: Path, cache: Path, fitted: Path, tmp_path: Path
) -> None:
    options = ["--model", str(model), "--calibration", str(fitted), "--cache", str(cache)]
    order = ["--order", "shuffle", "--seed", "0"]
    target = tmp_path / "replay.json"
    kept = sorted((cache / "streams").iterdir())
    written = [path.stat().st_mtime_ns for path in kept]
    result = CliRunner().invoke(
        app, ["replay", str(drawn), *options, *order, "--answers", "3", "--json", str(target)]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(target.read_text())
    assert found["sightings"] == sum(found["decisions"].values()) == 48
    assert found["individuals_true"] >= 8
    for name in ("precision", "recall", "f1", "ari"):
        assert 0 < found[name] <= 1
    assert 1 <= found["answers"] <= 3
    assert len(found["f1_by_answers"]) == found["answers"]
    assert found["f1_after_answers"] == found["f1_by_answers"][-1]
    assert found["bcubed"]["precision"] >= found["precision"] - 0.5
    # Calibrated in the same order: nothing was compared again.
    assert sorted((cache / "streams").iterdir()) == kept
    assert [path.stat().st_mtime_ns for path in kept] == written


def test_a_replay_in_the_order_of_time_is_another_stream(
    drawn: Path, model: Path, cache: Path, fitted: Path
) -> None:
    options = ["--model", str(model), "--calibration", str(fitted), "--cache", str(cache)]
    before = len(list((cache / "streams").iterdir()))
    result = CliRunner().invoke(
        app, ["replay", str(drawn), *options, "--order", "time", "--limit", "6"]
    )
    assert result.exit_code == 0, result.output
    assert "6 sightings, by own" in result.output
    assert len(list((cache / "streams").iterdir())) == before + 1


def test_damaged_evidence_is_an_error_that_names_the_file(
    drawn: Path, model: Path, cache: Path, fitted: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "cache"
    shutil.copytree(cache, damaged)
    for path in (damaged / "streams").iterdir():
        path.write_bytes(path.read_bytes()[:-3])
    options = ["--model", str(model), "--calibration", str(fitted), "--cache", str(damaged)]
    result = CliRunner().invoke(
        app, ["replay", str(drawn), *options, "--order", "shuffle", "--seed", "0"]
    )
    assert result.exit_code == 1
    assert "is damaged" in result.output
