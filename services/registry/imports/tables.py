"""CSV files of other tools: read with whatever their writer's spreadsheet took for a comma."""

import csv
from collections.abc import Iterator
from pathlib import Path

from services.registry.imports.columns import cell
from services.registry.imports.listing import ForeignError


def records(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line numbers and rows by the file's own names of columns; what means empty is ''.

    Raises:
        ForeignError: it can't be read as text, or as a table.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ForeignError(f"{path} can't be read as UTF-8: {error}") from error
    first = lines[0] if lines else ""
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(lines, delimiter=delimiter)
    try:
        for row in reader:
            told = {name.strip(): cell(text or "") for name, text in row.items() if name}
            if any(told.values()):
                yield reader.line_num, told
    except csv.Error as error:
        raise ForeignError(f"{path} is no table: {error} (line {reader.line_num})") from error
