"""A picture inside a page, for those that lie in no store of crops."""

import base64

from shared.media import sniff

# Larger ones are not put into a page.
MOST_BYTES = 3 * 1024 * 1024

# Of a JPEG (ITU-T T.81, annex B): application segments 1 to 15 and comments are beside the picture.
MARKER, START_OF_SCAN = 0xFF, 0xDA
TOLD_BESIDE = frozenset({*range(0xE1, 0xF0), 0xFE})


def inlined(image: bytes) -> str:
    """Return a JPEG as a data URL, without what else its file tells; '' for any other."""
    if sniff(image) != "JPEG" or len(image) > MOST_BYTES:
        return ""
    plain = bare(image)
    return f"data:image/jpeg;base64,{base64.b64encode(plain).decode()}" if plain else ""


def bare(jpeg: bytes) -> bytes:
    """Return a JPEG without EXIF, where cameras write the place, and without all that is like it.

    It is not decoded: some of these pictures end whoever does that.
    """
    kept, at = bytearray(jpeg[:2]), 2
    while at + 4 <= len(jpeg) and jpeg[at] == MARKER:
        kind, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4])
        if kind == START_OF_SCAN:
            return bytes(kept + jpeg[at:])
        if kind not in TOLD_BESIDE:
            kept += jpeg[at : at + 2 + length]
        at += 2 + length
    return b""
