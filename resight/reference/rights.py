"""Generates the table of access rights: `python -m resight.reference.rights`."""

from pathlib import Path

from services.registry.api.access.rights import RIGHTS, Right

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
BEGIN, END = "<!-- rights: made by `make rights` -->", "<!-- end of rights -->"
REACHES = {
    "anybody": "anybody, without a key",
    "own": "limited to its galleries",
    "gallery": "only in its galleries",
    "all": "refused",
}


def table() -> str:
    """Return the table in Markdown."""
    lines = ["| method | path | minimum role | keys bound to galleries | in the audit log |"]
    lines.append("|---|---|---|---|---|")
    lines += [_row(right) for right in RIGHTS]
    return "\n".join(lines)


def updated_page(page: str) -> str:
    """Return a page with the table between its markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _row(right: Right) -> str:
    cells = (right.method, f"`{right.path}`", right.role or "none", REACHES[right.reach], right.act)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(updated_page(PAGE.read_text()))
