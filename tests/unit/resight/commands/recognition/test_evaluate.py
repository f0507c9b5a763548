"""`resight evaluate` on drawn animals, from pictures to numbers."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from catalogue.reading.catalogue import Photograph
from recognition import splits
from recognition.data.labelled_folder import labelled_animals
from recognition.evaluation import data_set
from recognition.evaluation.encoders import adapted_file
from recognition.synthetic.dataset import draw
from resight.main import app
from services.matcher.metrics import KEYPOINTS
from shared.progress import LOGGED
from tests.support.samples.model_files import tiny_model

KEYS = {"dataset", "split", "queries", "gallery", "rows", "shortlist_recall_at_100", "open_set"}
METRICS = {"pipeline", "r1", "r1_interval", "r5", "r20", "map"}
OPEN = {"auroc", "baks", "baus", "geometric_mean", "false_known_rate", "false_known_bound"}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("leopards")
    draw(folder, individuals=6, sightings=5.0, seed=4, species=["drawn leopard"], size=(320, 240))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESIGHT_MATCHER_LONGEST_SIDE", "192")
    monkeypatch.setenv("RESIGHT_MATCHER_KEYPOINTS", "128")


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def _computed() -> float:
    return float(KEYPOINTS.labels("computed")._value.get())


def _measured(rows: Sequence[dict[str, object]]) -> list[object]:
    assert all(set(row) == METRICS for row in rows)
    return [row["pipeline"] for row in rows]


def test_a_study_gives_numbers_charts_and_mistakes_and_comes_again_from_the_cache(
    drawn: Path, model: Path, cache: Path, tmp_path: Path
) -> None:
    options = ["--data", drawn, "--model", model, "--cache", cache, "--split", "study"]
    first = _run(*options, "--json", tmp_path / "1.json", "--pictures", tmp_path / "pictures")
    assert first.exit_code == 0, first.output
    found = json.loads((tmp_path / "1.json").read_text())
    assert found.keys() >= KEYS
    assert (found["dataset"], found["split"]) == (drawn.name, "study")
    assert _measured(found["rows"]) == ["embedding", "neighbours", "local", "count", "fusion"]
    assert found["open_set"].keys() >= OPEN
    written = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert written - {"mistakes.png"} == {
        "rank-curves.png",
        "known-against-unknown.png",
        "reliability.png",
        "probabilities.png",
    }
    # Local features tell drawn coats apart, whatever the tiny encoder says.
    by_name = {row["pipeline"]: row["r1"] for row in found["rows"]}
    assert by_name["local"] >= 0.6
    assert "fusion" in first.output

    before = _computed()
    again = _run(*options, "--json", tmp_path / "2.json")
    assert again.exit_code == 0, again.output
    assert json.loads((tmp_path / "2.json").read_text()) == found
    assert _computed() == before


def test_the_closed_split_has_no_open_set_and_the_encounter_split_keeps_flanks_apart(
    drawn: Path, model: Path, cache: Path, tmp_path: Path
) -> None:
    for split, viewpoints in (("closed", "ignored"), ("encounter", "opposite flanks apart")):
        target = tmp_path / f"{split}.json"
        done = _run(
            "--data", drawn, "--model", model, "--cache", cache, "--split", split, "--json", target
        )
        assert done.exit_code == 0, done.output
        found = json.loads(target.read_text())
        assert found["open_set"] is None
        assert found["viewpoints"] == viewpoints


def test_the_report_says_what_told_the_animal_from_its_surroundings(
    drawn: Path, model: Path, cache: Path, tmp_path: Path
) -> None:
    extractors = set()
    for segmenter in ("none", "grabcut"):
        target = tmp_path / f"{segmenter}.json"
        done = _run(
            "--data", drawn, "--model", model, "--cache", cache, "--segmenter", segmenter,
            "--json", target,
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        found = json.loads(target.read_text())
        assert found["segmenter"] == segmenter
        extractors.add(found["extractor"])
    assert len(extractors) == 2


def test_the_study_preset_prints_a_markdown_table(
    drawn: Path, model: Path, cache: Path, tmp_path: Path
) -> None:
    other = tmp_path / "others"
    shutil.copytree(drawn, other)
    done = _run(
        "--preset", "study", "--data", drawn, "--data", other, "--backbone", f"tiny={model}",
        "--policy", "neighbours", "--cache", cache, "--json", tmp_path / "study.json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    lines = [line for line in done.output.splitlines() if line.startswith("| ")]
    assert len(lines) == 1 + 2 * 3
    assert lines[1].startswith(f"| {drawn.name} | tiny | embedding | 0.")
    assert [each["dataset"] for each in json.loads((tmp_path / "study.json").read_text())] == [
        drawn.name,
        "others",
    ]


def test_the_default_model_learns_the_gallery_and_no_query(
    drawn: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[set[tuple[str, ...]]] = []
    pictures: set[Path] = set()
    made: list[Path] = []  # one model is enough to see who would have been learnt

    def spy(photographs: Sequence[Photograph], *rest: Any) -> Path:
        learnt.append({each.identities for each in photographs})
        pictures.update(each.path for each in photographs)
        made.extend([] if made else [adapted_file(photographs, *rest)])
        return made[0]

    monkeypatch.setattr(data_set, "adapted_file", spy)
    done = _run("--data", drawn, "--cache", cache)
    assert done.exit_code == 0, done.output
    animals = labelled_animals(drawn, None, LOGGED)
    parts = splits.split("closed", animals, 666)
    assert pictures.isdisjoint({animals[index].path for index in parts.queries})
    *turns, served = learnt
    assert served == {animals[index].identities for index in parts.gallery}
    # Each individual is new to one of the models that the thresholds come from.
    assert sum(len(served - turn) for turn in turns) == len(served)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--split", "random"], "there is no split 'random'; choose one of closed"),
        (["--model", "lost.onnx"], "no model file lost.onnx, and no backbone"),
        (["--limit", "1"], "one individual"),
        (["--preset", "all"], "no preset 'all'; there is study"),
        (["--backbone", "resnet50"], "add --preset study"),
        (["--calibration", "lost.json"], "no calibration at lost.json"),
    ],
)
def test_what_can_t_be_done_is_said_with_the_way_out(
    drawn: Path, cache: Path, options: list[str], reason: str
) -> None:
    done = _run("--data", drawn, "--cache", cache, *options)
    assert done.exit_code == 1
    assert reason in " ".join(done.output.split())


def test_pictures_without_labels_are_refused(tmp_path: Path, drawn: Path) -> None:
    bare = _run("--data", tmp_path)
    assert bare.exit_code == 1
    assert "metadata.csv does not exist" in bare.output
    picture = next(drawn.rglob("*.jpg"))
    shutil.copy(picture, tmp_path / "a.jpg")
    (tmp_path / "metadata.csv").write_text("path,identity\na.jpg,\n")
    unlabelled = _run("--data", tmp_path)
    assert unlabelled.exit_code == 1
    assert "has an identity" in unlabelled.output
