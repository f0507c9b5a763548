import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.embedder.decoding import exif
from shared.images import codec
from tests.support.samples.pictures import photograph, scene

TIME, OFFSET = 0x9003, 0x9011


def _tags(details: dict[int, Any] | None = None, gps: dict[int, Any] | None = None) -> codec.Exif:
    written = Image.Exif()
    written.get_ifd(0x8769).update(details or {})
    written.get_ifd(0x8825).update(gps or {})
    return codec.open_picture(photograph(exif=written)).exif


def _gps(north: Any, east: Any, refs: str = "NE") -> dict[int, Any]:
    return {1: refs[0], 2: north, 3: refs[1], 4: east}


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({TIME: "2026:05:31 17:04:09"}, "2026-05-31T17:04:09Z"),
        ({TIME: "2026:05:31 17:04:09", OFFSET: "+02:00"}, "2026-05-31T15:04:09Z"),
        ({TIME: "2026:05:31 23:04:09", OFFSET: "-03:30"}, "2026-06-01T02:34:09Z"),
        ({TIME: "2026:05:31 17:04:09", OFFSET: "   :  "}, "2026-05-31T17:04:09Z"),
    ],
)
def test_the_time_of_the_photograph_in_utc(details: dict[int, Any], expected: str) -> None:
    taken = exif.captured_at(_tags(details))
    assert taken is not None
    assert taken.ToJsonString() == expected


@pytest.mark.parametrize("value", ["0000:00:00 00:00:00", "", "31.5.2026", "2026:13:01 00:00:00"])
def test_a_clock_that_was_never_set_gives_no_time(value: str) -> None:
    assert exif.captured_at(_tags({TIME: value})) is None


def test_the_place_has_signs_for_south_and_west() -> None:
    place = exif.place(_tags(gps=_gps((1.0, 30.0, 36.0), (36.0, 0.0, 0.0), "SW")))
    assert place is not None
    assert place.latitude == pytest.approx(-1.51)
    assert place.longitude == pytest.approx(-36)


@pytest.mark.parametrize(
    "gps",
    [
        {},
        _gps((91.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        _gps((1.0, 0.0), (0.0, 0.0, 0.0)),
        _gps((1.0, 0.0, 0.0), (0.0, 0.0, 0.0), "XX"),
        {2: (1.0, 0.0, 0.0)},
    ],
)
def test_malformed_positions_give_no_place(gps: dict[int, Any]) -> None:
    assert exif.place(_tags(gps=gps)) is None


@given(st.binary(min_size=1, max_size=300), st.booleans())
def test_no_exif_whatsoever_fails_a_capture(noise: bytes, little: bool) -> None:
    header = b"Exif\0\0" + (b"II*\0\x08\0\0\0" if little else b"MM\0*\0\0\0\x08")
    target = io.BytesIO()
    Image.fromarray(scene(16, 16)).save(target, "JPEG", exif=header + noise)
    picture = codec.open_picture(target.getvalue())
    exif.captured_at(picture.exif)
    exif.place(picture.exif)
    assert picture.pixels().shape == (16, 16, 3)


DIGITIZED, PLAIN = 0x9004, 0x0132
FRACTION, DIGITIZED_OFFSET, PLAIN_OFFSET = 0x9291, 0x9012, 0x9010


@pytest.mark.parametrize(
    ("main", "details", "expected"),
    [
        ({}, {DIGITIZED: "2026:05:31 17:04:09"}, "2026-05-31T17:04:09Z"),
        ({PLAIN: "2026:05:31 17:04:09"}, {}, "2026-05-31T17:04:09Z"),
        (
            {PLAIN: "2026:05:31 17:04:09"},
            {TIME: "0000:00:00 00:00:00", PLAIN_OFFSET: "+02:00"},
            "2026-05-31T15:04:09Z",
        ),
        (
            {PLAIN: "2026:06:01 09:00:00"},  # when it was edited
            {TIME: "2026:05:31 17:04:09", FRACTION: "25"},
            "2026-05-31T17:04:09.250Z",
        ),
        (
            {},
            {DIGITIZED: "2026:05:31 17:04:09", DIGITIZED_OFFSET: "-01:00"},
            "2026-05-31T18:04:09Z",
        ),
    ],
)
def test_the_first_tag_that_tells_a_time_counts(
    main: dict[int, str], details: dict[int, str], expected: str
) -> None:
    stamp = exif.captured_at(codec.Exif(main, details, {}))
    assert stamp is not None
    assert stamp.ToJsonString() == expected


@pytest.mark.parametrize(
    "told",
    ["1970:01:01 00:00:00", "1980:01:01 00:00:00", "2026:13:01 00:00:00", "9999:01:01 00:00:00"],
)
def test_times_that_cant_be_do_not_count(told: str) -> None:
    assert exif.captured_at(codec.Exif({PLAIN: told}, {TIME: told}, {})) is None


@pytest.mark.parametrize("blank", ["", " ", "\0", "X", None])
def test_without_a_hemisphere_there_is_no_place(blank: str) -> None:
    gps = _gps((1.0, 30.0, 36.0), (36.0, 0.0, 0.0), "SE")
    gps[1] = blank
    assert exif.place(codec.Exif({}, {}, gps)) is None


def test_zero_and_zero_is_no_place() -> None:
    gps = _gps((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), "NE")
    assert exif.place(codec.Exif({}, {}, gps)) is None
    near = _gps((0.0, 0.0, 0.0), (36.0, 0.0, 0.0), "NE")
    assert exif.place(codec.Exif({}, {}, near)) is not None
