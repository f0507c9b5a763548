"""Text of strangers on terminals and in logs: what can't be shown is not sent there.

A deployment's name may hold escape codes that move the cursor, or a line feed that forges
a line of the log.
"""

import json
from typing import Any

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """Return text with every character that can't be shown replaced; line feeds stay."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else REPLACEMENT for each in text)


def one_line(text: str) -> str:
    """Return text that can be shown on one line."""
    return printable(text).replace("\n", REPLACEMENT)


def json_line(value: Any) -> str:
    """Return a value as one line of JSON in which every character can be shown.

    JSON itself escapes only those below 32. What JSON can't hold is shown as text.
    """
    text = json.dumps(value, ensure_ascii=False, default=str)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)
