"""Files as pieces, so that none is in memory whole."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from catalogue.spreadsheet import safe

Pieces = Iterator[bytes]

ROWS = 500


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Pieces:
    """Yield a CSV in UTF-8 with a header, safe from formula injection."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for number, row in enumerate(rows, 1):
        writer.writerow([safe(value) for value in row])
        if number % ROWS == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def lines(texts: Iterable[str]) -> Pieces:
    """Yield lines of text in UTF-8."""
    for text in texts:
        yield f"{text}\n".encode()
