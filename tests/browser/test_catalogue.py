"""A catalogue comes in and goes out by the pages of a running stack, and decisions appear."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from resight.stack_state import running
from tests.support.catalogue_bench import packed
from tests.support.samples.pictures import coat
from tests.support.servers.embedded_stack import SECONDS, resight, started

LIONS = packed(
    Nala__1=coat(1), Nala__2=coat(2), Nala__3=coat(3), Simba__1=coat(4), Simba__2=b"no picture"
)
PATIENCE = 1000 * SECONDS


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, encoder_file: Path) -> Iterator[Path]:
    """The folder of a running stack."""
    with started(tmp_path_factory.mktemp("pages") / "data", encoder_file) as up:
        yield up.folder


@pytest.fixture
def home(data: Path) -> str:
    state = running(data)
    assert state is not None
    return state.pages_url


def bring(page: Page, home: str, archive: bytes, **said: str) -> None:
    page.goto(f"{home}/imports")
    page.set_input_files(
        "input[type=file]", {"name": "lions.zip", "mimeType": "application/zip", "buffer": archive}
    )
    for name, text in said.items():
        page.fill(f"input[name={name}]", text)
    page.get_by_role("button", name="Check contents").click()


def enrol(page: Page, sightings: int) -> None:
    page.get_by_role("button", name=f"Enrol {sightings} sightings").click(timeout=PATIENCE)
    expect(page.get_by_role("heading", name="Enrolled", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text(f"Enrolled {sightings} of {sightings} sightings.")).to_be_visible()


def test_a_catalogue_is_brought_shown_taken_away_and_brought_again(home: str, page: Page) -> None:
    page.goto(home)
    page.get_by_role("link", name="import a catalogue").click()
    bring(page, home, LIONS, species="lion")
    expect(page.get_by_role("row", name="Lion 2 4")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Simba/2.jpg")).to_be_visible()
    enrol(page, 4)
    few = "Not calibrated separately yet"
    expect(page.get_by_text(few)).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="Lion", exact=True).first.click()
    expect(page.get_by_role("heading", name="Nala")).to_be_visible()
    expect(page.get_by_role("heading", name="Simba")).to_be_visible()

    page.get_by_label("Include pictures").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    archive = Path(download.value.path()).read_bytes()
    bring(page, home, archive, population="again", species="lion")
    enrol(page, 4)
    page.goto(f"{home}/g/again/lion")
    expect(page.get_by_text("2 individuals, 4 sightings")).to_be_visible()
    expect(page.get_by_text("3 pictures")).to_be_visible()


def test_what_is_no_catalogue_is_said_on_the_form(home: str, page: Page) -> None:
    bring(page, home, b"no zip")
    expect(page.get_by_text("lions.zip is not a valid ZIP")).to_be_visible()
    expect(page.get_by_role("button", name="Check contents")).to_be_enabled()
    nameless = io.BytesIO()
    with zipfile.ZipFile(nameless, "w") as files:
        files.writestr("1.jpg", coat(1))
    bring(page, home, nameless.getvalue())
    expect(page.get_by_text("None of its animals has a name")).to_be_visible()


def test_a_decision_appears_after_a_picture_was_published(
    home: str, page: Page, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "camera-7").mkdir()
    (tmp_path / "camera-7" / "1.jpg").write_bytes(coat(50))
    page.goto(f"{home}/live")
    expect(page.get_by_text("listening")).to_be_visible()
    resight("publish", tmp_path, "--species", "wolf", "--data-dir", data)
    card = page.locator("#live .card")
    expect(card.get_by_text("camera-7")).to_be_visible(timeout=PATIENCE)
    card.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("wolf-")


def test_somebody_asks_who_a_picture_shows(home: str, page: Page) -> None:
    bring(page, home, LIONS, species="cat")
    enrol(page, 4)
    page.goto(f"{home}/g/default/cat/who")
    page.set_input_files(
        "input[type=file]", {"name": "nala.jpg", "mimeType": "image/jpeg", "buffer": coat(1)}
    )
    page.get_by_role("button", name="Identify").click()
    expect(page.locator("#answer h2")).to_have_text("Known: Nala", timeout=PATIENCE)
    expect(page.locator("#answer")).to_contain_text("This picture is already one of its sightings.")
