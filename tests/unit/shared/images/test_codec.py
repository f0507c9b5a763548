"""Decoding: whatever is sent becomes RGB pixels or a Poison that says why not."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile

from shared.errors import Poison
from shared.images import codec
from shared.images.rgb import Pixels
from tests.support.samples.pictures import encoded, photograph, scene

ORIENTATION = 0x0112


def _close(one: Pixels, other: Pixels) -> bool:
    return one.shape == other.shape and float(np.abs(one.astype(int) - other).mean()) < 4


def _kind(data: bytes, **limits: int) -> str:
    with pytest.raises(Poison) as caught:
        codec.decode(data, **limits)
    return caught.value.kind


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
        ("PNG", "RGB"),
        ("PNG", "RGBA"),
        ("WEBP", "RGB"),
        ("WEBP", "RGBA"),
        ("TIFF", "RGB"),
        ("TIFF", "CMYK"),
        ("TIFF", "LAB"),
    ],
)
def test_every_colour_mode_becomes_the_same_rgb(kind: str, mode: str) -> None:
    decoded = codec.decode(encoded(scene(), kind, mode))
    assert decoded.dtype == np.uint8
    assert decoded.shape == (240, 320, 3)
    assert mode == "LAB" or _close(decoded, scene())


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "L"), ("PNG", "L"), ("PNG", "LA"), ("PNG", "1"), ("TIFF", "L")]
)
def test_grey_pictures_get_three_equal_channels(kind: str, mode: str) -> None:
    decoded = codec.decode(encoded(scene(), kind, mode))
    assert decoded.shape == (240, 320, 3)
    assert np.array_equal(decoded[..., 0], decoded[..., 2])


@pytest.mark.parametrize(("kind", "order"), [("PNG", "<"), ("TIFF", "<"), ("TIFF", ">")])
def test_sixteen_bits_are_scaled_to_eight(kind: str, order: str) -> None:
    deep = np.linspace(0, 65535, 256).astype(f"{order}u2").reshape(1, 256)
    target = io.BytesIO()
    Image.fromarray(deep).save(target, kind)
    decoded = codec.decode(target.getvalue())
    assert np.array_equal(decoded[0, :, 1], np.arange(256))


def test_transparent_parts_are_black_whatever_colour_hides_there() -> None:
    pixels = np.full((8, 8, 4), 200, np.uint8)
    pixels[:, :4, 3] = 0
    pixels[:, 4:, 3] = 255
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    decoded = codec.decode(target.getvalue())
    assert decoded[0, 0].tolist() == [0, 0, 0]
    assert decoded[0, 7].tolist() == [200, 200, 200]


def test_a_palette_picture_keeps_its_colours() -> None:
    target = io.BytesIO()
    Image.fromarray(scene()).quantize(64).save(target, "PNG", transparency=0)
    decoded = codec.decode(target.getvalue())
    assert np.abs(decoded.astype(int) - scene()).mean() < 20


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    turned: dict[int, Callable[[Pixels], Pixels]] = {
        1: lambda p: p,
        2: np.fliplr,
        3: lambda p: np.rot90(p, 2),
        4: np.flipud,
        5: lambda p: np.transpose(p, (1, 0, 2)),
        6: lambda p: np.rot90(p, -1),
        7: lambda p: np.rot90(np.transpose(p, (1, 0, 2)), 2),
        8: np.rot90,
    }
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    picture = codec.open_picture(encoded(scene(), kind, exif=exif))
    expected = turned[orientation](scene())
    assert (picture.height, picture.width) == expected.shape[:2]
    assert _close(picture.pixels(), expected)


def test_orientation_of_a_png_counts_even_behind_its_pixels() -> None:
    plain = encoded(scene(), "PNG")
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    body = b"eXIf" + exif.tobytes()[len(b"Exif\0\0") :]
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    end = len(plain) - 12
    assert codec.decode(plain[:end] + chunk + plain[end:]).shape == (320, 240, 3)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_nonsense_orientation_changes_nothing(value: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = value
    assert codec.decode(photograph(exif=exif)).shape == (240, 320, 3)


@pytest.mark.parametrize(
    ("longest", "shape"),
    [(4000, (1500, 2000)), (1024, (1500, 2000)), (1000, (750, 1000)), (251, (375, 500))],
)
def test_a_jpeg_is_decoded_no_larger_than_needed_and_no_smaller(
    longest: int, shape: tuple[int, int]
) -> None:
    decoded = codec.open_picture(photograph(2000, 1500)).pixels(longest)
    assert decoded.shape[:2] == shape


def test_limits_are_checked_before_anything_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[object] = []

    def load(picture: ImageFile.ImageFile) -> None:
        decoded.append(picture)

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        data = encoded(scene(), kind)
        assert _kind(data, max_pixels=320 * 240 - 1) == "too-many-pixels"
        assert _kind(data, max_bytes=len(data) - 1) == "too-many-bytes"
        codec.open_picture(data)
    assert decoded == []


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_an_error(kind: str, share: float) -> None:
    data = encoded(scene(), kind)
    assert _kind(data[: int(len(data) * share)]) in {"truncated-image", "corrupt-image"}


def test_a_reason_says_what_was_found_and_what_to_do() -> None:
    with pytest.raises(Poison, match=r"60 × 50 pixels.*RESIGHT_EMBEDDER_MAX_PIXELS"):
        codec.decode(photograph(60, 50), max_pixels=2999)
    with pytest.raises(Poison, match=r"GIF.*convert it to JPEG"):
        codec.decode(encoded(scene(), "GIF"))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (4000, 20), (3, 5000)])
def test_odd_shapes_are_decoded(width: int, height: int) -> None:
    assert codec.decode(photograph(width, height)).shape == (height, width, 3)


@given(
    st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF"]),
    st.integers(0, 2000),
    st.binary(min_size=1, max_size=20),
)
def test_damage_anywhere_gives_pixels_or_poison_and_no_warning(
    kind: str, at: int, noise: bytes
) -> None:
    data = bytearray(encoded(scene(24, 16), kind))
    at %= len(data)
    data[at : at + len(noise)] = noise
    try:
        assert codec.decode(bytes(data)).shape[2] == 3
    except Poison as poison:
        assert poison.reason  # noqa: PT017 - either outcome is right


def test_equal_pixels_give_an_equal_jpeg() -> None:
    assert codec.encode_jpeg(scene(), 90) == codec.encode_jpeg(scene(), 90)
    assert _close(codec.decode(codec.encode_jpeg(scene(), 90)), scene())
