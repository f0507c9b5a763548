"""A catalogue with wrong names is checked, and the faults are shown side by side."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recognition.synthetic.dataset import METADATA, draw
from resight.main import app
from tests.support.samples.model_files import tiny_model


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    draw(folder, individuals=8, sightings=7.0, seed=5, species=["drawn leopard"])
    return folder


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / METADATA).open(newline="") as file:
        return list(csv.DictReader(file))


def rename(folder: Path, found: list[dict[str, str]]) -> None:
    with (folder / METADATA).open("w", newline="") as file:
        writer = csv.DictWriter(file, found[0].keys())
        writer.writeheader()
        writer.writerows(found)


def test_one_animal_under_two_names_is_found_first(drawn: Path, tmp_path: Path) -> None:
    found = rows(drawn)
    views = Counter((each["identity"], each["viewpoint"]) for each in found)
    (name, view), _ = views.most_common(1)[0]
    own = [each for each in found if (each["identity"], each["viewpoint"]) == (name, view)]
    for each in own[::2]:
        each["identity"] = "Twin"
    rename(drawn, found)
    told, page = tmp_path / "faults.json", tmp_path / "faults.html"
    model = tiny_model(tmp_path / "tiny.onnx")
    options = ["--json", told, "--output", page, "--model", model, "--cache", tmp_path / "cache"]
    result = CliRunner().invoke(app, ["catalogue", "check", str(drawn), *map(str, options)])
    assert result.exit_code == 0, result.output
    first, *_ = json.loads(told.read_text())
    assert first["fault"] in {"one animal", "another animal"}
    assert {first["name"], first["other"]} == {name, "Twin"}
    assert all(Path(source).is_file() for source in first["pictures"])
    assert page.read_text().count("data:image/jpeg;base64,") >= 2
    assert "likely faults in" in result.output


def test_a_catalogue_without_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = CliRunner().invoke(app, ["catalogue", "check", str(tmp_path / "empty")])
    assert result.exit_code == 1
    assert "error:" in result.output
