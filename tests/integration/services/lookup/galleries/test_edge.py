"""What only the engine inside the process must do: survive, keep others out, build graphs."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from services.lookup.galleries import live_shard
from services.lookup.galleries.edge import EdgeGalleries, EdgeGallery
from services.lookup.galleries.gallery import Query
from services.lookup.galleries.mark import Mark
from services.lookup.galleries.optimisation import COPY, REPLACED
from services.lookup.service import LookupService
from services.lookup.settings import LookupSettings
from shared.embeddings import model_name
from shared.errors import SettingsError
from shared.messages import VIEWPOINT_LEFT, VIEWPOINT_RIGHT
from tests.support.galleries import (
    GALLERY,
    MODEL,
    answer,
    edge_settings,
    enrolment,
    sighting,
    vectors,
)
from tests.support.waiting import wait_until

# Enrols a batch, says so, and waits for the kill.
ENROL = """
import sys, signal
from pathlib import Path
from services.lookup.galleries.edge import EdgeGalleries
from services.lookup.service import LookupService
from services.lookup.settings import LookupSettings
from tests.support.galleries import edge_settings, enrolment
galleries = EdgeGalleries(edge_settings(Path(sys.argv[1])))
service = LookupService(galleries, LookupSettings(), lambda lists: None)
for start in (1, 101):
    service.handle([enrolment(n) for n in range(start, start + 100)])
print("enrolled", flush=True)
signal.pause()
"""

OPEN = """
import sys
from pathlib import Path
from services.lookup.galleries.edge import EdgeGalleries
from tests.support.galleries import edge_settings
EdgeGalleries(edge_settings(Path(sys.argv[1])))
"""

ROOT = Path(__file__).parents[5]


def test_a_killed_process_loses_nothing_that_it_said_was_enrolled(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ENROL, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "enrolled\n"
        process.kill()
        assert process.wait() == -signal.SIGKILL

    galleries = EdgeGalleries(edge_settings(tmp_path))
    gallery = galleries.open(model_name(MODEL))
    assert gallery.numbers(GALLERY, 0, 1000) == set(range(1, 201))
    assert gallery.mark(GALLERY).watermark == 200
    service = LookupService(galleries, LookupSettings(), lambda _: None)
    found = answer(service, sighting(7))
    assert found.watermark == 200
    assert len(found.candidates) == 199
    galleries.close()


def test_a_second_process_is_told_what_to_do(tmp_path: Path) -> None:
    galleries = EdgeGalleries(edge_settings(tmp_path))
    galleries.open("model")
    second = subprocess.run(
        [sys.executable, "-c", OPEN, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode != 0
    assert re.search(
        r"SettingsError: RESIGHT_GALLERY_PATH=.*another process.*server", second.stderr
    )
    galleries.close()
    EdgeGalleries(edge_settings(tmp_path)).close()


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SettingsError, match=r"RESIGHT_GALLERY_PATH=.*is not writable"):
        EdgeGalleries(edge_settings(tmp_path / "file" / "gallery"))


def test_a_shard_that_was_never_finished_is_made_anew(tmp_path: Path) -> None:
    galleries = EdgeGalleries(edge_settings(tmp_path))
    galleries.open("model")
    galleries.close()
    (shard,) = [entry for entry in tmp_path.iterdir() if entry.is_dir()]
    shard.rename(shard.with_name(shard.name + ".unfinished"))
    for leftover in shard.with_name(shard.name + ".unfinished").glob("*.json"):
        leftover.unlink()
    galleries = EdgeGalleries(edge_settings(tmp_path))
    assert galleries.empty()
    galleries.open("model").enrol([enrolment(1)])
    assert not galleries.empty()
    galleries.close()


@pytest.mark.parametrize("exact_below", [0, 100_000], ids=["graph", "exact"])
def test_recall_of_a_hundred_after_the_graphs_are_built(tmp_path: Path, exact_below: int) -> None:
    """With a filter on viewpoints, which is where a graph loses its way."""
    drawn = vectors(12_100)
    views = (VIEWPOINT_LEFT, VIEWPOINT_RIGHT)
    of, view = np.arange(len(drawn)) % 3, np.arange(len(drawn)) // 3 % 2
    galleries = EdgeGalleries(edge_settings(tmp_path, exact_below))
    gallery = galleries.open("model")
    for start in range(0, 12_000, 1000):
        gallery.enrol(
            [
                enrolment(i + 1, gallery=f"g/{of[i]}", viewpoint=views[view[i]], vector=drawn[i])
                for i in range(start, start + 1000)
            ]
        )
    galleries.close()
    galleries = EdgeGalleries(edge_settings(tmp_path, exact_below))
    gallery = galleries.open("model")
    assert gallery._shard.current().info().indexed_vectors_count == 12_000

    asked = range(12_000, 12_100, 2)
    answers = gallery.search(
        [Query(f"g/{of[i]}", f"query {i}", drawn[i], VIEWPOINT_RIGHT) for i in asked], 100
    )
    recalls = []
    for i, found in zip(asked, answers, strict=True):
        theirs = np.flatnonzero((of[:12_000] == of[i]) & (view[:12_000] == 0))
        best = theirs[np.argsort(-(drawn[theirs] @ drawn[i]))[:100]]
        recalls.append(len({int(b) + 1 for b in best} & {c.enrolment_number for c in found}) / 100)
    assert np.mean(recalls) >= (0.99 if exact_below == 0 else 1.0)
    galleries.close()


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EdgeGalleries:
    """An opened gallery whose 6,000 sightings count as too many to be optimised at once."""
    galleries = EdgeGalleries(edge_settings(tmp_path, exact_below=0))
    galleries.open("model").enrol([enrolment(number) for number in range(1, 6001)])
    galleries.open("model").set_mark(GALLERY, Mark(watermark=6000))
    galleries.close()
    monkeypatch.setattr(live_shard, "QUICK_BELOW", 100)
    return EdgeGalleries(edge_settings(tmp_path, exact_below=0))


def _optimised(gallery: EdgeGallery) -> None:
    """Wait until the copy is there and in use."""

    def searched() -> bool:
        gallery.search([Query(GALLERY, "x", vectors(1)[0], None)], 1)
        return gallery._shard._optimisation is None

    wait_until(searched)


def test_a_large_gallery_serves_at_once_and_is_optimised_meanwhile(
    large: EdgeGalleries, tmp_path: Path
) -> None:
    gallery = large.open("model")
    assert gallery._shard.current().info().indexed_vectors_count == 0
    found = gallery.search([Query(GALLERY, "x", vectors(1)[0], None)], 100)
    assert len(found[0]) == 100
    gallery.enrol([enrolment(number) for number in range(6001, 6011)])
    gallery.set_mark(GALLERY, Mark(watermark=6010))
    _optimised(gallery)
    assert gallery._shard.current().info().indexed_vectors_count >= 6000
    assert gallery.numbers(GALLERY, 0, 7000) == set(range(1, 6011))
    assert gallery.mark(GALLERY).watermark == 6010
    large.close()
    assert len([each for each in tmp_path.iterdir() if each.is_dir()]) == 1


def test_a_process_that_ends_while_it_optimises_leaves_everything(
    large: EdgeGalleries, tmp_path: Path
) -> None:
    large.open("model").enrol([enrolment(6001)])
    large.close()
    (shard,) = [each for each in tmp_path.iterdir() if each.is_dir()]
    # Ended between the two renames.
    shutil.copytree(shard, shard.with_name(shard.name + COPY))
    shard.rename(shard.with_name(shard.name + REPLACED))
    again = EdgeGalleries(edge_settings(tmp_path))
    assert again.open("model").numbers(GALLERY, 0, 7000) == set(range(1, 6002))
    again.close()
    assert [each for each in tmp_path.iterdir() if each.is_dir()] == [shard]


@pytest.mark.logs_errors
def test_an_optimisation_that_fails_changes_nothing(large: EdgeGalleries) -> None:
    gallery = large.open("model")
    assert gallery._shard._optimisation is not None
    assert gallery._shard._optimisation._process is not None
    gallery._shard._optimisation._process.kill()
    _optimised(gallery)
    gallery.enrol([enrolment(6001)])
    assert gallery.numbers(GALLERY, 0, 7000) == set(range(1, 6002))
    large.close()
