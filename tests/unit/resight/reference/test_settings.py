"""docs/settings.md and .env.example say what the code says."""

import re
from pathlib import Path

import pytest

from resight.reference.settings import EXAMPLE, PAGE, ROOT, concerns, example, page, sections
from shared.environment import CONCERNS, FROM_FILE, variable_of, variables

# Where a setting is used if anybody uses it.
USERS = ("tests", "deploy", "resight/stack")


@pytest.mark.parametrize(("file", "text"), [(EXAMPLE, example()), (PAGE, page())])
def test_the_files_are_up_to_date(file: Path, text: str) -> None:
    assert file.read_text() == text, "run `make settings`"


def test_every_setting_of_every_concern_is_on_the_page() -> None:
    told = set(re.findall(r"RESIGHT_[A-Z_]+", page()))
    for concern in concerns():
        secret = {name + FROM_FILE for name in variables(concern)} & set(variables(concern))
        assert set(variables(concern)) - secret <= told


def test_every_setting_is_explained_and_there_are_no_more_than_seventy() -> None:
    told = {name: text for entries in sections().values() for name, (_, text) in entries.items()}
    assert all(told.values())
    assert len(told) <= 70


def test_every_setting_is_used_in_a_test_or_a_manifest() -> None:
    files = [path for room in USERS for path in (ROOT / room).rglob("*") if path.is_file()]
    texts = [path.read_text(errors="ignore") for path in files if path.suffix != ".png"]
    unused = []
    for concern in concerns():
        own = [text for text in texts if concern.__name__ in text]
        fields = {variable_of(concern, name): name for name in concern.model_fields}
        for variable in fields.keys() & variables(concern).keys():
            field = re.compile(rf"\b{fields[variable]}(=|\": )")
            if not (any(variable in each for each in texts) or any(map(field.search, own))):
                unused.append(variable)
    assert unused == []


def test_every_concern_has_its_settings() -> None:
    named = {name.split("_")[1] for concern in concerns() for name in variables(concern)}
    assert named == set(CONCERNS)


def test_no_path_of_the_machine_that_wrote_them_is_in_them() -> None:
    assert str(ROOT) not in example() + page()
