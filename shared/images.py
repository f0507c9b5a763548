"""Safe decoding of pictures that anybody may have sent, and encoding of crops.

Everything a picture claims is checked before memory is spent on it: its bytes,
its kind, its pixels. Whatever is wrong with it is a Poison of one of the kinds
empty-image, too-many-bytes, unsupported-format, corrupt-image, too-many-pixels,
truncated-image and unsupported-pixels.
"""

import io
import struct
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, JpegImagePlugin, PngImagePlugin
from PIL import TiffImagePlugin as TiffPlugin
from PIL import WebPImagePlugin as WebPPlugin

from shared.errors import Poison
from shared.media import PICTURES, sniff

MAX_BYTES = 32 * 1024 * 1024
MAX_PIXELS = 100_000_000

PNG_SIGNATURE_BYTES = 8

Pixels = NDArray[np.uint8]

# The classes themselves instead of Image.open: that one has a pixel limit of
# its own, global to the process, and tries formats that nobody asked for.
_OPENERS: Mapping[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WebP": WebPPlugin.WebPImageFile,
    "TIFF": TiffPlugin.TiffImageFile,
}

# EXIF orientation -> what turns the stored picture into the displayed one, without a copy.
_TURNS: Mapping[int, Callable[[Pixels], Pixels]] = {
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: stored[::-1].swapaxes(0, 1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: stored[:, ::-1].swapaxes(0, 1),
}
_FIRST_SIDEWAYS = 5

# Pictures become RGB in strips of so many pixels, so that a large one needs little memory
# beside itself and the result.
STRIP_PIXELS = 4_000_000

# A picture that lacks more of its rows than this is not worth salvaging.
MOST_MISSING = 0.1

# warnings.catch_warnings changes the whole process, so one thread at a time.
_QUIET = threading.Lock()


@dataclass(frozen=True)
class Exif:
    """The EXIF tags of a picture, by number; empty where it has none or they are malformed."""

    main: Mapping[int, Any]
    details: Mapping[int, Any]
    gps: Mapping[int, Any]

    @property
    def orientation(self) -> int:
        """From 1 to 8; 1 when it is missing or nonsense."""
        value = self.main.get(ExifTags.Base.Orientation)
        return int(value) if isinstance(value, int) and value in _TURNS else 1


@dataclass(frozen=True)
class Picture:
    """A picture whose header is read and within limits; its pixels are not decoded yet."""

    width: int  # as displayed
    height: int
    exif: Exif
    _source: Callable[[], ImageFile.ImageFile]
    _orientation: int
    _missing: list[str] = field(default_factory=list)

    @property
    def truncated(self) -> bool:
        """Whether `pixels` found the end of the picture missing, and went on all the same."""
        return bool(self._missing)

    def pixels(self, longest_side: int | None = None, *, salvage: bool = False) -> Pixels:
        """Decode and return uint8 RGB [H, W, 3], EXIF orientation applied. Call it once.

        With `longest_side`, a JPEG is decoded at 1/2, 1/4 or 1/8 of its size if
        the longest side stays at least that long; this costs a fraction of the
        time. Other formats come at full size. With `salvage`, a picture that lacks up
        to the last tenth of its rows comes with those black.

        Raises:
            Poison: the data ends early, is corrupt, or has pixels of a kind that is no picture.
        """
        source = self._source()
        with _pillow_errors():
            try:
                _load(source, longest_side)
            except OSError as error:
                if not (salvage and _ends_early(error)):
                    raise
                source = self._source()
                _load_what_is_there(source, longest_side)
                self._missing.append(str(error))
            pixels = _rgb(source)
            source.close()
            return np.ascontiguousarray(_TURNS.get(self._orientation, _unturned)(pixels))


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
                "million allowed; publish it smaller, or raise the service's max_pixels",
                kind="too-many-pixels",
            )
        exif = _exif(source, data)
    # Pillow turns TIFFs by itself, and gives their size as displayed.
    orientation = 1 if kind == "TIFF" else exif.orientation
    if orientation >= _FIRST_SIDEWAYS:
        width, height = height, width
    opened = [source]

    def sources() -> ImageFile.ImageFile:
        return opened.pop() if opened else _OPENERS[kind](io.BytesIO(data))

    return Picture(width, height, exif, sources, orientation)


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
            "smaller, or raise the service's max_image_bytes",
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
    """Read what can be read: a picture is worth identifying whatever its EXIF looks like."""
    tags: list[Mapping[int, Any]] = []
    try:
        if source.format == "PNG":  # Pillow would decode all of it to find out
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


def _load(source: ImageFile.ImageFile, longest_side: int | None) -> None:
    if longest_side is not None:
        scale = min(1.0, longest_side / max(source.size))
        width, height = source.size
        source.draft(None, (max(1, int(width * scale)), max(1, int(height * scale))))
    source.load()


def _load_what_is_there(source: ImageFile.ImageFile, longest_side: int | None) -> None:
    """Load a picture whose end is missing, if little of it is.

    Pillow knows that only as a switch of the whole process, so nothing else may decode
    meanwhile: a decode worker does one picture at a time.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        _load(source, longest_side)
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    missing = _flat_rows(source) / source.height
    if missing > MOST_MISSING:
        raise OSError(f"truncated: {missing:.0%} of the picture is missing, too much to salvage")


def _flat_rows(image: Image.Image) -> int:
    """Return how many of the last rows are of one colour: what decoders put where nothing is."""
    last = image.getpixel((image.width - 1, image.height - 1))
    for count in range(image.height):
        row = image.crop((0, image.height - count - 1, image.width, image.height - count))
        colours = row.getcolors(1)
        if colours is None or colours[0][1] != last:
            return count
    return image.height


def _unturned(stored: Pixels) -> Pixels:
    return stored


def _rgb(image: Image.Image) -> Pixels:
    """Return uint8 RGB [H, W, 3]; transparent parts become black, 16 bits are scaled to 8."""
    if image.mode == "F":
        raise Poison(
            "the picture has floating-point pixels, whose brightness has no scale; "
            "save it with 8 or 16 bits per channel",
            kind="unsupported-pixels",
        )
    transparent = image.has_transparency_data
    rows = max(1, STRIP_PIXELS // image.width)
    if rows >= image.height:
        return _strip(image, transparent)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        pixels[top:bottom] = _strip(image.crop((0, top, image.width, bottom)), transparent)
    return pixels


def _strip(image: Image.Image, transparent: bool) -> Pixels:
    if image.mode.startswith("I"):
        deep = np.asarray(image).clip(0, 65535).astype(np.uint32)
        return np.repeat(((deep + 128) // 257).astype(np.uint8)[:, :, None], 3, axis=2)
    if transparent:
        cutout = image.convert("RGBA")
        flat = Image.new("RGB", image.size)
        flat.paste(cutout, mask=cutout.getchannel("A"))
        return np.asarray(flat)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _ends_early(error: Exception) -> bool:
    return "truncated" in str(error).lower()


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
        cut = _ends_early(error)
        raise Poison(
            f"the picture's data {'ends early' if cut else 'is damaged'} ({error}); copy it from "
            "the camera's card and publish it again",
            kind="truncated-image" if cut else "corrupt-image",
        ) from error
