"""Screenshots of the review pages with synthetic animals: `python -m bench.screenshots`.

Each page at two widths, light and dark, into a folder; those that docs/ecologist.md shows also go
into docs/pages.
"""

import argparse
import io
import re
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from catalogue.publishing.follow import publish_and_follow
from recognition.synthetic.dataset import draw
from resight.console import note
from resight.sources import read_catalogue
from resight.stack.profile import Profile, choose_ports
from resight.stack.supervisor import Supervisor
from shared.identifiers import gallery_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "ecologist.md"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
ALL_PICTURES = """() => Promise.all([...document.images].map((each) => each.complete
  || new Promise((there) => { each.onload = each.onerror = there; })))"""
SIZES = {"wide": (1280, 900), "narrow": (390, 844)}
PATIENCE_SECONDS = 300.0
# Number of pictures published while a live page is shown.
LATE = 4
LOOKS = [(size, scheme) for size in SIZES for scheme in ("light", "dark")]


def ready(supervisor: Supervisor, studio: Path) -> None:
    """Draw animals, let the stack decide about most of them, and damage one picture."""
    draw(studio, individuals=36, sightings=5, seed=3)
    everything = read_catalogue([studio]).photographs
    broken = studio / "broken.jpg"
    broken.write_bytes(everything[0].path.read_bytes()[:2000])
    kafka = supervisor.state.kafka()
    for some in (everything[: -LATE * len(LOOKS)], read_catalogue([broken]).photographs):
        publish_and_follow(kafka, some, lambda _: supervisor.tick(), PATIENCE_SECONDS)


def watched(url: str) -> None:
    """Add a rule, so that the page of alerts has something to show."""
    rule = {
        "name": "All zebras",
        "gallery": "default/drawn-zebra",
        "kind": "sighting",
        "url": "https://nobody.example/alerts",
    }
    httpx.post(f"{url}/api/v1/alerts/rules", json=rule).raise_for_status()


def paths(url: str) -> Iterator[tuple[str, str]]:
    """Yield a name and a path for each page, of the gallery with the most to show."""
    galleries = httpx.get(f"{url}/api/v1/galleries").json()
    gallery = max(galleries, key=lambda each: (each["questions"], each["sightings"]))["name"]
    api, site = f"{url}/api/v1/galleries/{gallery}", f"/g/{gallery}"
    [largest] = httpx.get(f"{api}/individuals?sort=-sightings&limit=1").json()["items"]
    yield "home", "/"
    yield "question", f"{site}/questions"
    yield "gallery", site
    yield "individual", f"{site}/individuals/{largest['id']}"
    yield "sighting", f"{site}/sightings/{largest['cover']}"
    yield "live", "/live"
    yield "letters", "/letters"
    yield "alerts", "/alerts"
    yield "places", "/places"
    yield "audit", "/audit"
    yield "who", f"{site}/who"
    yield "imports", "/imports"
    yield "import", brought(url)
    yield "sign-in", "/sign-in"
    yield "not-found", "/g/default/nobody"


def brought(url: str) -> str:
    """Upload a catalogue with a fault, and return the path of its page once it is read."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, name in enumerate(("Askari", "Askari", "Duma", "Imani")):
            drawn = io.BytesIO()
            Image.new("RGB", (320, 240), (60 * number, 90, 60)).save(drawn, "JPEG")
            archive.writestr(f"lions/{name}/IMG_{number:04}.JPG", drawn.getvalue())
        archive.writestr("lions/Imani/IMG_0007.JPG", b"cut off in the camera")
        archive.writestr("lions/IMG_0012.JPG", drawn.getvalue())
    files = {"catalogue": ("lions-of-the-south.zip", packed.getvalue())}
    api = f"{url}/api/v1/imports"
    begun = httpx.post(api, files=files, data={"species": "lion", "population": "south"}).json()
    while httpx.get(f"{api}/{begun['id']}").json()["state"] == "reading":
        time.sleep(0.2)
    return f"/imports/{begun['id']}"


def photographed(browser: Browser, url: str, folder: Path, supervisor: Supervisor) -> None:
    """Write a picture of each page in each look."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (size, scheme) in enumerate(LOOKS, 1):
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        page = context.new_page()
        for name, path in paths(url):
            page.goto(url + path, wait_until="load")
            prepare(page, name, supervisor, number)
            target = folder / f"{name}-{size}-{scheme}.png"
            _save(page.screenshot(full_page=name != "live"), target)
            if name == "import":  # a server holds two at once
                httpx.delete(f"{url}/api/v1{path}")
        context.close()


def prepare(page: Page, name: str, supervisor: Supervisor, look: int) -> None:
    """Bring a page into the state to show; looks are numbered from 1."""
    supervisor.tick()
    studio = Path(supervisor.profile.folder) / "studio"
    if name == "who":
        gallery = urlsplit(page.url).path.removeprefix("/g/").removesuffix("/who")
        every = read_catalogue([studio]).photographs
        mine = [each for each in every if gallery_name("", each.species) == gallery]
        page.set_input_files("input[type=file]", mine[-1].path)
        page.get_by_role("button", name="Identify").click()
        page.locator("#answer").wait_for(timeout=60_000)
    for card in page.locator(".card img").all():  # pictures load when scrolled to
        card.scroll_into_view_if_needed()
    page.evaluate(ALL_PICTURES)
    page.evaluate("scrollTo(0, 0)")
    if name == "question" and not page.locator("#matches").count():
        note("no question was open this time: run it again for its screenshot")
    elif name == "question":
        page.keyboard.press("m")
        page.locator(".lines line").first.wait_for(state="attached", timeout=60_000)
    if name == "live":
        page.get_by_text("listening").wait_for()
        late = read_catalogue([studio]).photographs[-LATE * look :][:LATE]
        publish_and_follow(
            supervisor.state.kafka(), late, lambda _: supervisor.tick(), PATIENCE_SECONDS
        )
        page.locator("#live .card").nth(LATE - 1).wait_for()


def _save(png: bytes, target: Path) -> None:
    """Write a picture with few colours: a quarter of the size, without visible difference."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(255).save(target, "PNG", optimize=True)


def shown_in(text: str) -> list[str]:
    """Return the names of the pictures of pages that a text shows."""
    return re.findall(r"\(pages/([\w-]+\.png)\)", text)


def main() -> None:
    """Start a stack, fill it, and photograph its pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "out" / "pages")
    task = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder).resolve()
        supervisor = Supervisor(Profile(root, root / "models", choose_ports(0), pages=True), note)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            supervisor.start()
            ready(supervisor, root / "studio")
            watched(supervisor.state.pages_url)
            photographed(browser, supervisor.state.pages_url, task.folder, supervisor)
        finally:
            browser.close()
            supervisor.stop()
    documented = PAGE.with_name("pages")
    documented.mkdir(exist_ok=True)
    for name in shown_in(PAGE.read_text()):
        (documented / name).write_bytes((task.folder / name).read_bytes())
    note(f"wrote {len(list(task.folder.glob('*.png')))} pictures into {task.folder}")


if __name__ == "__main__":
    main()
