"""An ecologist settles doubt by keyboard, changes individuals, and takes all of it back."""

from playwright.sync_api import Page, expect

from services.registry.ledger.audit import check
from tests.browser.conftest import Site
from tests.support.queries import GALLERY

QUESTIONS = f"/g/{GALLERY}/questions"


def doubtful_pairs(site: Site, count: int) -> None:
    """Pairs of sightings that may show one animal, and are like no other."""
    for number in range(count):
        site.bench.decide(f"a{number:02d}", candidates=2)
        site.bench.decide(f"b{number:02d}", perhaps=[f"a{number:02d}"], candidates=2)


def press(page: Page, key: str) -> None:
    """Press a key on a page that has its scripts."""
    page.wait_for_load_state()
    page.keyboard.press(key)


def state(site: Site) -> list[list[str]]:
    return sorted(site.bench.ledger.individuals(GALLERY).values())


def test_20_questions_are_answered_by_keyboard_and_all_is_undone(site: Site, page: Page) -> None:
    doubtful_pairs(site, 20)
    before = state(site)
    assert len(site.bench.ledger.questions(GALLERY)) == 20
    page.goto(site.url + QUESTIONS)
    for number in range(20):
        expect(page.get_by_text(f"Question 1 of {20 - number}", exact=False)).to_be_visible()
        press(page, "sdn"[number % 3])
        told = ("Same animal.", "Different animals.", "Confirmed as separate.")[number % 3]
        expect(page.locator("#said")).to_contain_text(told)
    expect(page.get_by_role("heading", name="No open questions")).to_be_visible()
    assert len(state(site)) == 40 - 7
    said = [each.decision.number for each in site.bench.announced]
    assert len(said) == 20
    for number in reversed(said):
        page.goto(f"{site.url}{QUESTIONS}?said={number}")
        press(page, "u")
        expect(page.locator("#said")).to_contain_text("Undone.")
    assert state(site) == before
    assert check(site.bench.ledger, GALLERY) == []


def test_what_nobody_can_tell_is_put_aside_and_asked_again(site: Site, page: Page) -> None:
    doubtful_pairs(site, 2)
    page.goto(site.url + QUESTIONS)
    press(page, "t")
    expect(page.get_by_text("Question 1 of 1", exact=False)).to_be_visible()
    page.get_by_role("link", name="1 skipped question").click()
    expect(page.get_by_text("Question 1 of 1, skipped", exact=False)).to_be_visible()
    press(page, "t")
    expect(page.get_by_role("heading", name="No skipped questions")).to_be_visible()
    page.goto(site.url + QUESTIONS)
    expect(page.get_by_text("Question 1 of 2", exact=False)).to_be_visible()
    press(page, "ArrowRight")
    expect(page.get_by_text("Question 2 of 2", exact=False)).to_be_visible()
    press(page, "ArrowLeft")
    expect(page.get_by_text("Question 1 of 2", exact=False)).to_be_visible()


def test_both_pictures_zoom_and_move_together(site: Site, page: Page) -> None:
    doubtful_pairs(site, 1)
    page.goto(site.url + QUESTIONS)
    pictures = page.locator(".view img")
    for _ in range(3):
        press(page, "+")
    shown = [pictures.nth(side).evaluate("image => image.style.transform") for side in (0, 1)]
    assert shown[0] == shown[1]
    assert "scale(2.7" in shown[0]
    box = page.locator(".view").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 180, steps=4)
    page.mouse.up()
    moved = [pictures.nth(side).evaluate("image => image.style.transform") for side in (0, 1)]
    assert moved[0] == moved[1] != shown[0]
    press(page, "0")
    assert "scale(1)" in pictures.first.evaluate("image => image.style.transform")


def test_two_individuals_are_merged_one_is_split_and_all_is_undone(site: Site, page: Page) -> None:
    bench = site.bench
    for name, like in (("a", ""), ("b", "a"), ("c", "ab"), ("d", "")):
        bench.decide(name, alike=like)
    before = state(site)
    assert before == [["a", "b", "c"], ["d"]]
    page.goto(f"{site.url}/g/{GALLERY}/individuals/plains-zebra-0002")
    page.get_by_label("Another individual").fill("plains-zebra-0001")
    page.get_by_label("Reason").fill("the same scar")
    page.get_by_role("button", name="Merge with it").click()
    expect(page.get_by_role("heading", name="plains-zebra-0001")).to_be_visible()
    expect(page.locator(".history")).to_contain_text("the same scar")
    assert state(site) == [["a", "b", "c", "d"]]
    page.locator('input[value="b"]').check()
    page.locator('input[value="c"]').check()
    expect(page.get_by_text("2 pictures selected")).to_be_visible()
    page.get_by_role("button", name="Split into new individual").click()
    expect(page.locator("#said")).to_contain_text("2 pictures of plains-zebra-0001")
    assert state(site) == [["a", "d"], ["b", "c"]]
    press(page, "Tab")
    page.locator("#said").get_by_role("button", name="Undo").click()
    expect(page.locator("#said")).to_contain_text("Undone.")
    page.get_by_role("button", name="Undo entry 5").click()
    expect(page.locator("#said")).to_contain_text("Undone.")
    assert state(site) == before
    assert check(bench.ledger, GALLERY) == []


def test_58_individuals_of_12_animals_become_12_in_12_actions(site: Site, page: Page) -> None:
    for number in range(58):
        animal, before = number % 12, range(number % 12, number, 12)
        site.bench.decide(
            f"{animal:02d}-{number:02d}", perhaps=[f"{animal:02d}-{each:02d}" for each in before]
        )
    found = state(site)
    assert len(found) == 58
    page.goto(f"{site.url}/g/{GALLERY}")
    page.get_by_label("Sort by").select_option("likeness")
    page.wait_for_url("**sort=likeness**")
    for _ in range(12):
        page.wait_for_load_state()
        picks = page.locator(".pick")
        shown = [value[:2] for value in picks.evaluate_all("all => all.map(each => each.value)")]
        animal = next(name for name in shown if shown.count(name) > 1)
        first, count = shown.index(animal), shown.count(animal)
        assert shown[first : first + count] == [animal] * count  # they stand side by side
        picks.nth(first).click()
        picks.nth(first + count - 1).click(modifiers=["Shift"])
        expect(page.get_by_text(f"{count} individuals selected")).to_be_visible()
        press(page, "m")
        expect(page.locator("#said")).to_contain_text("Merged.")
    assert [len(each) for each in state(site)] == [5] * 10 + [4] * 2
    entries = [each.decision.number for each in site.bench.announced]
    assert len(entries) == 12
    for entry in reversed(entries):
        page.goto(f"{site.url}/g/{GALLERY}?sort=likeness&said={entry}")
        press(page, "u")
        expect(page.locator("#said")).to_contain_text("Undone.")
        assert "sort=likeness" in page.url
    assert state(site) == found
    assert check(site.bench.ledger, GALLERY) == []


def test_individuals_are_selected_by_keyboard_and_told_apart(site: Site, page: Page) -> None:
    for name in "abc":
        site.bench.decide(name, perhaps="abc")
    page.goto(f"{site.url}/g/{GALLERY}?sort=likeness")
    expect(page.get_by_text("like plains-zebra-").first).to_be_visible()
    expect(page.get_by_role("button", name="All different")).to_be_disabled()
    page.locator(".pick").first.focus()
    for key in ("Shift+ArrowRight", "Shift+ArrowRight"):
        press(page, key)
    expect(page.get_by_text("3 individuals selected")).to_be_visible()
    press(page, "d")
    expect(page.locator("#said")).to_contain_text("All different.")
    assert site.bench.ledger.questions(GALLERY) == []
    expect(page.get_by_text("like plains-zebra-")).to_have_count(0)
    page.locator(".card a").first.click(modifiers=["Control"])
    expect(page.get_by_text("1 individual selected")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("0 individuals selected")).to_be_visible()


def test_live_decisions_appear_as_they_come(site: Site, page: Page) -> None:
    site.bench.decide("a")
    page.goto(f"{site.url}/live")
    expect(page.get_by_text("listening")).to_be_visible()
    site.bench.decide("b", alike="a")
    card = page.locator("#live .card").first
    expect(card).to_contain_text("plains-zebra-0001")
    expect(card).to_contain_text("known")


def test_a_picture_that_is_gone_is_said_to_be(site: Site, page: Page) -> None:
    site.bench.decide("a")
    site.bench.decide("b", perhaps="a")
    page.route(
        "**/crop*", lambda route: route.fulfill(status=200, body=b"", content_type="image/jpeg")
    )
    page.goto(site.url + QUESTIONS)
    expect(page.get_by_text("its crop was deleted").first).to_be_visible()


def test_an_individuals_page_leads_to_its_own_question(site: Site, page: Page) -> None:
    doubtful_pairs(site, 3)
    site.bench.context.skipped_questions.put(GALLERY, "a00", "b00", "ada")
    for name, rival in (("0001", "0002"), ("0005", "0006")):
        page.goto(f"{site.url}/g/{GALLERY}/individuals/plains-zebra-{name}")
        page.get_by_role("link", name="compare").click()
        for each in (name, rival):
            expect(page.get_by_role("heading", name=f"plains-zebra-{each}")).to_be_visible()
