"""CSV files of other tools, with any separator."""

import csv
from collections.abc import Iterator
from pathlib import Path

from catalogue.reading.columns import cell
from catalogue.reading.limits import MOST_LINE, Limits
from catalogue.reading.listing import ForeignError


def records(path: Path, limits: Limits) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line numbers and rows by the file's own column names.

    Raises:
        ForeignError: it is not text or not a table, or exceeds the limits.
    """
    limits.check_text(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            delimiter = max(",;\t", key=file.readline(MOST_LINE).count)
            file.seek(0)
            reader = csv.DictReader(limits.lines(path, file), delimiter=delimiter)
            limits.check_columns(path, len(reader.fieldnames or ()))
            for row in reader:
                told = {name.strip(): cell(text or "") for name, text in row.items() if name}
                if any(told.values()):
                    yield reader.line_num, told
    except csv.Error as error:
        raise ForeignError(f"{path} is not a table: {error} (line {reader.line_num})") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ForeignError(f"{path} can't be read as UTF-8: {error}") from error
