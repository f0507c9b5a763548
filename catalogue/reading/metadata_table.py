"""Reads a metadata.csv, as spreadsheets and other tools write it."""

import codecs
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalogue.reading import columns
from catalogue.reading.columns import Row
from catalogue.reading.limits import COMMAND, MOST_LINE, Limits
from shared.viewpoints import understood

# Separators; spreadsheets use the one of their locale.
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Table:
    """Rows by our column names, and notes for the user."""

    rows: Sequence[Row]
    notes: Sequence[str]


def read(path: Path, limits: Limits = COMMAND) -> Table:
    """Return the rows of a table that are not empty.

    Raises:
        ForeignError: it exceeds the limits.
        ValueError: it is not text, or has no path column.
    """
    limits.check_text(path)
    try:
        with path.open(encoding=_encoding(path), newline="") as file:
            delimiter = _delimiter(path, file.readline(MOST_LINE))
            file.seek(0)
            reader = csv.reader(limits.lines(path, file), delimiter=delimiter)
            headers = [columns.header(name) for name in next(reader, [])]
            limits.check_columns(path, len(headers))
            rows = list(_rows(reader, headers))
    except csv.Error as error:
        raise ValueError(f"{path} is not a table: {error} (line {reader.line_num})") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not in UTF-8 ({error}); save it as 'CSV UTF-8'") from error
    return Table(rows, [*_unused(path, headers), *_strange_viewpoints(path, rows)])


def _delimiter(path: Path, first: str) -> str:
    """Return the separator of a table's first line."""
    for delimiter in _DELIMITERS:
        headers = [
            columns.header(name) for name in next(csv.reader([first], delimiter=delimiter), [])
        ]
        if columns.path(dict.fromkeys(headers, "there")):
            return delimiter
    raise ValueError(
        f"{path} has no column 'path' in its first line; "
        "it needs at least: path,identity,species,viewpoint,date"
    )


def _rows(reader: Iterator[list[str]], headers: Sequence[str]) -> Iterator[Row]:
    for cells in reader:
        row: dict[str, str] = {}
        for name, text in zip(headers, cells, strict=False):
            row[name] = row.get(name) or columns.cell(text)
        if any(row.values()):
            yield row


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        wide = file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    return "utf-16" if wide else "utf-8-sig"


def _unused(path: Path, headers: Sequence[str]) -> list[str]:
    names = columns.unused(headers)
    return [f"{path}: ignored columns {', '.join(names)}"] if names else []


def _strange_viewpoints(path: Path, rows: Sequence[Row]) -> Iterator[str]:
    words = Counter(columns.value(row, "viewpoint") for row in rows)
    for word in sorted(each for each in words if not understood(each)):
        yield (
            f"{path}: viewpoint {word!r} ({words[word]} rows) counts as unknown; known viewpoints "
            f"are left, right, front, back and top"
        )
