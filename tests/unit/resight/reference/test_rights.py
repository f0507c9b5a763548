"""The page about security says who may call what as the code has it."""

from resight.reference.rights import PAGE, table, updated_page
from services.registry.api.access.rights import RIGHTS


def test_the_page_has_the_table_of_the_code() -> None:
    page = PAGE.read_text()
    assert page == updated_page(page), "run `make rights`"
    assert table() in page
    assert len(table().splitlines()) == len(RIGHTS) + 2
