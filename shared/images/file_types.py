"""File types by their first bytes."""

from collections.abc import Callable

# What Resight decodes.
PICTURES = frozenset({"JPEG", "PNG", "WebP", "TIFF"})

HEADER_BYTES = 16


def _starts(*magics: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magics)


def _riff(kind: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[:4] == b"RIFF" and head[8:12] == kind


def _iso_media(*brands: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[4:8] == b"ftyp" and head[8:12].startswith(brands)


# The first match counts. Other files are listed so that errors can name them. None of these
# prefixes starts a Capture message, whose first byte is 0x0a, 0x12 or 0x1a.
_KINDS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("JPEG", _starts(b"\xff\xd8\xff")),
    ("PNG", _starts(b"\x89PNG\r\n\x1a\n")),
    ("WebP", _riff(b"WEBP")),
    ("TIFF", _starts(b"II*\0", b"MM\0*")),
    ("GIF", _starts(b"GIF87a", b"GIF89a")),
    ("BMP", _starts(b"BM")),
    ("HEIC or AVIF", _iso_media(b"hei", b"hev", b"mif1", b"msf1", b"avi")),
    ("CR3 raw", _iso_media(b"crx")),
    ("MP4 video", _iso_media(b"")),
    ("AVI video", _riff(b"AVI ")),
    ("JPEG XL", _starts(b"\xff\x0a", b"\0\0\0\x0cJXL ")),
    ("JPEG 2000", _starts(b"\0\0\0\x0cjP  ")),
    ("ZIP", _starts(b"PK\x03\x04", b"PK\x05\x06")),
    ("gzip", _starts(b"\x1f\x8b")),
    ("PDF", _starts(b"%PDF-")),
    ("HTML", _starts(b"<!DOCTYPE", b"<!doctype", b"<html")),
    ("XML", _starts(b"<?xml", b"<svg")),
    ("JSON", _starts(b"{", b"[")),
)


def sniff(data: bytes) -> str | None:
    """Return the type of a file, such as `JPEG` or `ZIP`; None when unknown."""
    head = data[:HEADER_BYTES]
    return next((kind for kind, fits in _KINDS if fits(head)), None)
