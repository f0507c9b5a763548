""".env.example says what the code says."""

from pathlib import Path

from resight.reference.settings import concerns, example
from shared.settings import CONCERNS, variables

WRITTEN = Path(__file__).parents[3] / ".env.example"


def test_the_example_is_up_to_date() -> None:
    assert WRITTEN.read_text() == example(), "run `make env-example`"


def test_every_setting_of_every_concern_is_in_it() -> None:
    lines = WRITTEN.read_text().splitlines()
    for concern in concerns():
        for name in variables(concern):
            assert any(line.startswith(f"# {name}=") for line in lines), name


def test_every_concern_has_its_settings() -> None:
    prefixes = {str(concern.model_config.get("env_prefix")) for concern in concerns()}
    assert prefixes == {f"RESIGHT_{name}_" for name in CONCERNS}


def test_no_path_of_the_machine_that_wrote_it_is_in_it() -> None:
    assert str(WRITTEN.parent) not in WRITTEN.read_text()
