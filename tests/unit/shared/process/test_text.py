import json

from hypothesis import given
from hypothesis import strategies as st

from shared.process.text import json_line, printable


def test_escape_codes_and_returns_are_not_shown() -> None:
    assert printable("gate\x1b[2J\x9b1m\r\u202e") == "gate\ufffd[2J\ufffd1m\ufffd\ufffd"
    assert printable("斑马\nnext") == "斑马\nnext"


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner, max_size=3)))
def test_json_is_one_line_that_can_be_shown_and_means_the_same(value: object) -> None:
    line = json_line(value)
    assert line.isprintable()
    assert json.loads(line) == value
