"""Pages for people: signed in or not, by keyboard and screen reader, when things are missing."""

from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from catalogue.reading.listing import LeftOut
from services.registry.imports.register import State
from tests.browser.conftest import Site
from tests.support.queries import GALLERY

PATHS = (
    "/",
    f"/g/{GALLERY}",
    f"/g/{GALLERY}/questions",
    f"/g/{GALLERY}/individuals/plains-zebra-0001",
    f"/g/{GALLERY}/sightings/b",
    "/live",
    "/letters",
    "/alerts",
    "/places",
    "/audit",
    f"/g/{GALLERY}/who",
    "/imports",
    "/imports/planned",
    "/imports/enrolling",
    "/imports/failed",
    "/nowhere",
)


@pytest.fixture
def few(site: Site) -> Site:
    """Two animals that may be one, and a third; and catalogues that somebody brought."""
    site.bench.decide("a")
    site.bench.decide("b", alike="a")
    site.bench.decide("c", perhaps="ab")
    states: tuple[State, ...] = ("planned", "enrolling", "failed")
    for state in states:
        begun = site.bench.context.imports.begin(
            state, "ada", "lions-of-the-south-and-the-north.zip"
        )
        site.bench.context.imports.keep(
            replace(
                begun,
                state=state,
                format="COCO",
                galleries={"the-south-of-the-park/lion": (1200, 60)},
                notes=("annotations.json: nothing is made of the key licenses",),
                left_out=1,
                enrolled=700,
                wrong="none of its animals has a name",
            )
        )
        left = LeftOut("a/very/long/path/of/a/picture/in/it/IMG_0001.JPG", "it is not a picture")
        site.bench.context.imports.keep_left_out(state, [left])
    return site


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(few: Site, chromium: Browser, scheme: str) -> None:
    context = chromium.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    found = []
    for path in (*PATHS, "/sign-in"):
        page.goto(few.url + path, wait_until="load")
        found += [
            (path, fault["id"], fault["nodes"][0]["html"][:200])
            for fault in Axe().run(page).response["violations"]
            if fault["impact"] in {"serious", "critical"}
        ]
    context.close()
    assert found == []


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out_at_the_side(few: Site, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for path in PATHS[:-1]:
        page.goto(few.url + path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, path


def test_who_is_not_known_signs_in_with_a_key_and_out(few: Site, page: Page) -> None:
    few.bench.key("admin")
    key = few.bench.key("reader")
    page.goto(f"{few.url}/g/{GALLERY}/questions")
    expect(page.get_by_label("API key")).to_be_focused()
    page.get_by_label("API key").fill("resight_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not a valid key")
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Is this the same animal?")).to_be_visible()
    expect(page.get_by_text("Only reviewers can answer", exact=False)).to_be_visible()
    [cookie] = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    page.goto(few.url)
    expect(page.get_by_label("API key")).to_be_visible()


def test_a_page_that_is_not_there_is_said_so_in_words(few: Site, chromium: Browser) -> None:
    page = chromium.new_page()
    answer = page.goto(f"{few.url}/g/{GALLERY}/individuals/lion-0001")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("alert")).to_contain_text("has no individual lion-0001")
    page.close()


def test_an_empty_catalogue_says_how_to_begin(site: Site, page: Page) -> None:
    page.goto(site.url)
    expect(page.get_by_role("link", name="import a catalogue")).to_be_visible()


def test_individuals_are_filtered_as_one_chooses(few: Site, page: Page) -> None:
    page.goto(f"{few.url}/g/{GALLERY}")
    expect(page.locator(".card")).to_have_count(2)
    page.get_by_label("ID or name").fill("0002")
    page.keyboard.press("Enter")
    expect(page.locator(".card")).to_have_count(1)
    page.get_by_label("ID or name").fill("nobody")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No matching individuals")).to_be_visible()


def test_being_offline_is_said(few: Site, page: Page) -> None:
    page.goto(few.url)
    expect(page.locator("#offline")).to_be_hidden()
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()


def test_a_gallery_is_downloaded_from_its_page_as_often_as_one_likes(few: Site, page: Page) -> None:
    page.goto(f"{few.url}/g/{GALLERY}")
    page.get_by_label("Include pictures").check()
    for kind in ("coco", "wildbook"):
        page.get_by_label("Format").select_option(kind)
        with page.expect_download() as coming:
            page.get_by_role("button", name="Download").click()
        assert coming.value.suggested_filename == f"default-plains-zebra-{kind}.zip"
        assert coming.value.path().stat().st_size > 1000
