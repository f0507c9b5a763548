"""The notebook snippets of docs/science.md run as they are."""

import re
from pathlib import Path

import pytest

from recognition.synthetic.dataset import draw

ROOT = Path(__file__).parents[3]
SNIPPETS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "science.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory, encoder_file: Path) -> Path:
    """A folder with two labelled data sets and an encoder, as the page assumes."""
    folder = tmp_path_factory.mktemp("notebook")
    for seed, name in enumerate(("zebras", "lions")):
        draw(folder / "data" / name, individuals=12, sightings=2.5, seed=seed)
    (folder / "encoder.onnx").symlink_to(encoder_file)
    return folder


PRINTED = {"evaluate": r"'fusion': [01]\.\d+", "calibrate": r"own \d{4}-\d\d-\d\d"}


@pytest.mark.parametrize("function", PRINTED)
def test_a_snippet_runs(
    function: str,
    notebook: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (snippet,) = (each for each in SNIPPETS if f"{function}(" in each)
    monkeypatch.chdir(notebook)
    exec(snippet, {})  # noqa: S102
    assert re.search(PRINTED[function], capsys.readouterr().out)
