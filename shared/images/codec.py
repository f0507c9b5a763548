"""Safe decoding of untrusted pictures, and encoding of crops.

Size, format and pixel count are checked before memory is allocated. Faults are Poison of the kinds
empty-image, too-many-bytes, unsupported-format, corrupt-image, too-many-pixels, truncated-image and
unsupported-pixels.
"""

import io
import struct
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from PIL import ExifTags, Image, ImageFile, JpegImagePlugin, PngImagePlugin
from PIL import TiffImagePlugin as TiffPlugin
from PIL import WebPImagePlugin as WebPPlugin

from shared.errors import Poison
from shared.images.file_types import PICTURES, sniff
from shared.images.rgb import FIRST_SIDEWAYS, ORIENTATIONS, Pixels, displayed
from shared.images.truncated_images import load_truncated

MAX_BYTES = 32 * 1024 * 1024
MAX_PIXELS = 100_000_000

PNG_SIGNATURE_BYTES = 8

TRUNCATED: Final = "truncated-image"

# Not Image.open: it has a global pixel limit and tries all formats.
_OPENERS: Mapping[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WebP": WebPPlugin.WebPImageFile,
    "TIFF": TiffPlugin.TiffImageFile,
}

# warnings.catch_warnings is global, so one thread at a time.
_QUIET = threading.Lock()


@dataclass(frozen=True)
class Exif:
    """The EXIF tags of a picture, by number; empty where it has none or they are malformed."""

    main: Mapping[int, Any]
    details: Mapping[int, Any]
    gps: Mapping[int, Any]

    @property
    def orientation(self) -> int:
        """From 1 to 8; 1 when missing or invalid."""
        value = self.main.get(ExifTags.Base.Orientation)
        return int(value) if isinstance(value, int) and value in ORIENTATIONS else 1


@dataclass(frozen=True)
class Picture:
    """A picture whose header is read and within limits; its pixels are not decoded yet."""

    width: int  # as displayed
    height: int
    exif: Exif
    _source: ImageFile.ImageFile
    _again: Callable[[], ImageFile.ImageFile]
    _orientation: int

    def pixels(self, longest_side: int | None = None) -> Pixels:
        """Decode and return uint8 RGB [H, W, 3], EXIF orientation applied. Call it once.

        With `longest_side`, a JPEG is decoded at 1/2, 1/4 or 1/8 of its size if
        the longest side stays at least that long; this costs a fraction of the
        time. Other formats come at full size.

        Raises:
            Poison: the data ends early, is corrupt, or has an unsupported pixel type.
        """
        _draft(self._source, longest_side)
        with _pillow_errors():
            self._source.load()
            return displayed(self._source, self._orientation)

    def salvaged(self, longest_side: int | None = None) -> tuple[Pixels, bool]:
        """Return the same as `pixels`, and whether up to a tenth of the rows is missing.

        Raises: Poison: as there, or more is missing.
        """
        try:
            return self.pixels(longest_side), False
        except Poison as poison:
            if poison.kind != TRUNCATED:
                raise
        source = self._again()
        _draft(source, longest_side)
        with _pillow_errors():
            load_truncated(source)
            return displayed(source, self._orientation), True


def open_picture(
    data: bytes, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS
) -> Picture:
    """Read the header of a JPEG, PNG, WebP or TIFF; of several frames the first counts.

    Raises:
        Poison: empty, too large, of another format, or the header is damaged.
    """
    kind = _checked_kind(data, max_bytes)
    with _pillow_errors(), _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = _OPENERS[kind](io.BytesIO(data))
        width, height = source.size
        if width * height > max_pixels:
            raise Poison(
                f"the picture has {width} × {height} pixels, more than the {max_pixels / 1e6:g} "
                "million allowed; publish it smaller, or raise RESIGHT_EMBEDDER_MAX_PIXELS",
                kind="too-many-pixels",
            )
        exif = _exif(source, data)
    # Pillow rotates TIFFs itself and reports their displayed size.
    orientation = 1 if kind == "TIFF" else exif.orientation
    if orientation >= FIRST_SIDEWAYS:
        width, height = height, width
    return Picture(
        width, height, exif, source, lambda: _OPENERS[kind](io.BytesIO(data)), orientation
    )


def decode(data: bytes, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Return a whole picture as uint8 RGB [H, W, 3], EXIF orientation applied.

    Raises:
        Poison: see `open_picture` and `Picture.pixels`.
    """
    return open_picture(data, max_bytes=max_bytes, max_pixels=max_pixels).pixels()


def encode_jpeg(pixels: Pixels, quality: int) -> bytes:
    """Return uint8 RGB [H, W, 3] as a JPEG without metadata; equal pixels give equal bytes."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, format="JPEG", quality=quality)
    return target.getvalue()


def _checked_kind(data: bytes, max_bytes: int) -> str:
    if not data:
        raise Poison("the picture is empty (0 bytes); publish it again", kind="empty-image")
    if len(data) > max_bytes:
        raise Poison(
            f"the picture has {len(data)} bytes, more than the {max_bytes} allowed; publish it "
            f"smaller",
            kind="too-many-bytes",
        )
    kind = sniff(data)
    if kind not in PICTURES:
        found = f"a {kind} file" if kind else f"an unknown format (it begins {data[:8].hex(' ')})"
        raise Poison(
            f"the picture is {found}; convert it to JPEG, PNG, WebP or TIFF",
            kind="unsupported-format",
        )
    return kind


def _exif(source: ImageFile.ImageFile, data: bytes) -> Exif:
    """Read EXIF as far as possible; malformed EXIF is no reason to refuse a picture."""
    tags: list[Mapping[int, Any]] = []
    try:
        if source.format == "PNG":  # Pillow would decode the whole picture
            exif = Image.Exif()
            exif.load(_png_exif(data))
        else:
            exif = source.getexif()
        tags.append(dict(exif))
        tags.extend(dict(exif.get_ifd(ifd)) for ifd in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo))
    except Exception:  # noqa: S110 - Pillow raises nearly anything on malformed EXIF
        pass
    return Exif(*tags, *[{}] * (3 - len(tags)))


def _png_exif(data: bytes) -> bytes:
    """Return the eXIf chunk of a PNG, which may stand before or after the pixels."""
    at = PNG_SIGNATURE_BYTES
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"eXIf":
            return data[at + 8 : at + 8 + length]
        at += 12 + length
    return b""


def _draft(source: ImageFile.ImageFile, longest_side: int | None) -> None:
    if longest_side is not None:
        scale = min(1.0, longest_side / max(source.size))
        width, height = source.size
        source.draft(None, (max(1, int(width * scale)), max(1, int(height * scale))))


@contextmanager
def _pillow_errors() -> Iterator[None]:
    """Turn what Pillow raises on damaged data into a Poison."""
    try:
        yield
    except (Poison, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise Poison(
            f"the picture has too many pixels ({error}); publish it smaller",
            kind="too-many-pixels",
        ) from error
    except Exception as error:  # damaged data make Pillow raise nearly anything
        cut = "truncated" in str(error).lower()
        raise Poison(
            f"the picture's data {'ends early' if cut else 'is damaged'} ({error}); copy it from "
            "the camera's card and publish it again",
            kind=TRUNCATED if cut else "corrupt-image",
        ) from error
