"""`resight demo` on a folder with a bad picture and a double one: everything is accounted for."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.servers.embedded_stack import with_encoder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("camera")
    for seed in range(3):
        noise = np.random.default_rng(seed).normal(size=(240, 320)).astype(np.float32)
        coat = (cv2.GaussianBlur(noise, (0, 0), 6) > 0).astype(np.uint8) * 200
        assert cv2.imwrite(str(folder / f"{seed}.jpg"), coat)
    whole = (folder / "0.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    shutil.copy(folder / "0.jpg", folder / "twice.jpg")
    (folder / "notes.txt").write_text("by the river")
    return folder


def test_every_sighting_becomes_a_decision_or_a_dead_letter(
    folder: Path, tmp_path: Path, encoder_file: Path
) -> None:
    with_encoder(tmp_path / "demo", encoder_file)
    output, wanted = tmp_path / "demo", tmp_path / "numbers.json"
    command = [sys.executable, "-m", "resight", "demo", "--data", str(folder)]
    done = subprocess.run(
        [*command, "--output", str(output), "--json", str(wanted)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "notes.txt: not a JPEG" in done.stderr
    numbers = json.loads(wanted.read_text())
    assert numbers == json.loads((output / "summary.json").read_text())
    assert (numbers["captures"], numbers["sightings"], numbers["dead_letters"]) == (5, 4, 1)
    assert sum(numbers["decisions"].values()) == 3
    assert numbers["r1"] is numbers["id_precision"] is numbers["id_recall"] is None
    assert 0 < numbers["latency_seconds"]["p50"] <= numbers["seconds"]
    sheet = cv2.imread(str(output / "contact-sheet.png"))
    assert sheet is not None
    assert not (output / "stack").exists(), "the stack's data goes when all went well"
