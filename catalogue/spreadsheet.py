"""Cells that are safe to open in a spreadsheet."""

from typing import Any


def safe(value: Any) -> Any:
    """Return a cell that no spreadsheet evaluates as a formula (OWASP, CSV injection)."""
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return "" if value is None else value
