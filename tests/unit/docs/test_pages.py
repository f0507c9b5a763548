"""Pages refer to files, sections and settings that exist, in lines that fit a screen."""

import re
from pathlib import Path

import pytest

from resight.reference import settings

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Generated pages, and history.
_LONG = {"settings.md", "metrics.md"}
_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([\w-]+))?\)")
_ROOMS = "shared|catalogue|services|recognition|resight|bench|deploy|tests|proto"
_PATH = re.compile(rf"`((?:{_ROOMS}|U|I)/[\w./-]+)`")
_SETTING = re.compile(r"RESIGHT_[A-Z0-9_]*[A-Z0-9]")
_FAMILIES = {"RESIGHT_ENCODER", "RESIGHT_TEST_QDRANT_URL"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, section in _LINK.findall(page.read_text()):
        if target.startswith("http"):
            continue
        found = page.parent / target if target else page
        assert found.exists(), target
        if section:
            titles = re.findall(r"^#+ (.*)$", found.read_text(), re.MULTILINE)
            assert section in {
                re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in titles
            }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_exist(page: Path) -> None:
    short = {"U": "tests/unit", "I": "tests/integration"}
    for named in _PATH.findall(page.read_text()):
        room, _, rest = named.partition("/")
        assert (ROOT / short.get(room, room) / rest).exists(), named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_settings_exist(page: Path) -> None:
    known = {name for section in settings.sections().values() for name in section}
    known |= {f"{name}_FILE" for name in settings.secrets()} | _FAMILIES
    assert set(_SETTING.findall(page.read_text())) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_lines_fit_a_screen(page: Path) -> None:
    if page.name in _LONG:
        return
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL).splitlines()
    long = [line for line in prose if len(line) > 120 and not line.lstrip().startswith(("|", "!"))]
    assert long == []
