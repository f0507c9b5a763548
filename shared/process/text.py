"""Makes untrusted text safe for terminals and logs.

A deployment's name may contain escape codes or line feeds that forge log lines.
"""

import json
from typing import Any

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """Return text with unprintable characters replaced; line feeds stay."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else REPLACEMENT for each in text)


def one_line(text: str) -> str:
    """Return text as one printable line."""
    return printable(text).replace("\n", REPLACEMENT)


def json_line(value: Any) -> str:
    """Return a value as one line of printable JSON.

    JSON itself escapes only characters below 32. Values that JSON lacks become text.
    """
    text = json.dumps(value, ensure_ascii=False, default=str)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)
