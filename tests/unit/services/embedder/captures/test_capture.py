import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from services.embedder.captures.capture import decode_capture
from shared.errors import Poison
from shared.labels import LabelSettings
from shared.messages import (
    VIEWPOINT_LEFT,
    VIEWPOINT_UNSPECIFIED,
    Animal,
    Box,
    Capture,
    Place,
)
from shared.records import Record
from tests.support.samples.pictures import photograph

PUBLISHED = datetime(2026, 6, 1, 12, tzinfo=UTC)


def _record(
    value: bytes | None, headers: dict[str, bytes] | None = None, key: bytes | None = None
) -> Record:
    return Record("captures", 0, 1, key, value, int(PUBLISHED.timestamp() * 1000), headers or {})


def test_a_bare_jpeg_is_described_by_its_headers() -> None:
    image = photograph()
    headers = {
        "content-type": b"image/jpeg",
        "deployment": b"cam-7",
        "species": "Zèbre".encode(),
        "population": b"laikipia",
        "sequence": b"burst-3",
        "capture-id": b"IMG_0001",
        "captured-at": b"2026-05-31T17:04:09+02:00",
        "latitude": b"-0.5",
        "longitude": b"36.9",
        "viewpoint": b"LEFT",
        "box": b"0.25,0.25,0.5,0.5;0,0,0.125,1",
    }
    capture = decode_capture(_record(image, headers))
    expected = Capture(
        capture_id="IMG_0001",
        inline=image,
        species="Zèbre",
        population="laikipia",
        deployment="cam-7",
        sequence="burst-3",
        place=Place(latitude=-0.5, longitude=36.9),
        viewpoint=VIEWPOINT_LEFT,
        animals=[
            Animal(box=Box(x=0.25, y=0.25, width=0.5, height=0.5)),
            Animal(box=Box(x=0, y=0, width=0.125, height=1)),
        ],
    )
    expected.captured_at.FromJsonString("2026-05-31T15:04:09Z")
    expected.published_at.FromDatetime(PUBLISHED)
    assert capture == expected


def test_an_image_needs_no_headers_at_all() -> None:
    capture = decode_capture(_record(photograph()))
    assert capture.inline == photograph()
    assert capture.deployment == "unknown"


def test_a_message_is_told_from_an_image_by_its_first_bytes() -> None:
    sent = Capture(inline=photograph(), deployment="cam-1", species="zebra")
    sent.published_at.FromJsonString("2026-01-01T00:00:00Z")
    assert decode_capture(_record(sent.SerializeToString())) == sent


def test_content_type_decides_over_the_first_bytes() -> None:
    with pytest.raises(Poison) as caught:
        decode_capture(_record(photograph(), {"Content-Type": b"application/x-protobuf"}))
    assert caught.value.kind == "not-a-capture"


@pytest.mark.parametrize(
    ("key", "deployment"), [(b"cam-9", "cam-9"), (b"", "unknown"), (None, "unknown")]
)
def test_without_a_deployment_the_record_s_key_is_it(key: bytes | None, deployment: str) -> None:
    assert decode_capture(_record(photograph(), key=key)).deployment == deployment


def test_unknown_viewpoints_count_as_unspecified() -> None:
    assert (
        decode_capture(_record(photograph(), {"viewpoint": b"dorsal"})).viewpoint
        == VIEWPOINT_UNSPECIFIED
    )
    later = Capture(inline=photograph()).SerializeToString() + b"\x58\x63"  # viewpoint = 99
    assert decode_capture(_record(later)).viewpoint == VIEWPOINT_UNSPECIFIED


def test_a_time_without_an_offset_is_utc() -> None:
    capture = decode_capture(_record(photograph(), {"captured-at": b"2026-05-31 17:04:09"}))
    assert capture.captured_at.ToJsonString() == "2026-05-31T17:04:09Z"


def test_a_camera_s_clock_is_corrected_by_seconds() -> None:
    capture = decode_capture(_record(photograph(), {"clock-correction": b"-7200"}))
    assert capture.clock_correction.ToJsonString() == "-7200s"


@pytest.mark.parametrize("seconds", [b"2h", b"nan", b"1e300", b"4000000000"])
def test_a_correction_that_none_can_be_is_poison(seconds: bytes) -> None:
    with pytest.raises(Poison, match="clock-correction"):
        decode_capture(_record(photograph(), {"clock-correction": seconds}))
    sent = Capture(inline=photograph())
    sent.clock_correction.seconds = -4_000_000_000
    with pytest.raises(Poison) as caught:
        decode_capture(_record(sent.SerializeToString()))
    assert caught.value.kind == "bad-time"


def test_a_bad_header_is_named_with_its_value() -> None:
    with pytest.raises(Poison, match=r"captured-at.*yesterday"):
        decode_capture(_record(photograph(), {"captured-at": b"yesterday"}))


@pytest.mark.parametrize(
    "box",
    [
        b"-0.02,0,0.5,0.5",
        b"0,-0.02,0.5,0.5",
        b"0.6,0,0.42,0.5",
        b"0,0.6,0.5,0.42",
        b"1,0,0.005,0.5",
        b"-0.005,0,0.004,0.5",
    ],
)
def test_a_box_that_leaves_the_picture_on_any_side_is_poison(box: bytes) -> None:
    with pytest.raises(Poison) as caught:
        decode_capture(_record(photograph(8, 8), {"box": box}))
    assert caught.value.kind == "box-outside-image"


@given(st.binary(max_size=400), st.sampled_from([b"", b"image/png", b"application/x-protobuf"]))
def test_any_bytes_are_a_capture_or_poison(value: bytes, content_type: bytes) -> None:
    try:
        capture = decode_capture(_record(value, {"content-type": content_type}))
    except Poison as poison:
        assert poison.reason  # noqa: PT017 - either outcome is right
    else:
        assert capture.WhichOneof("image")


@given(*[st.floats(allow_nan=True, allow_infinity=True, width=32)] * 4)
def test_any_box_is_inside_the_picture_or_poison(
    x: float, y: float, width: float, height: float
) -> None:
    value = f"{x},{y},{width},{height}".encode()
    try:
        capture = decode_capture(_record(photograph(8, 8), {"box": value}))
    except Poison as poison:
        assert poison.kind in {"bad-box", "box-outside-image"}  # noqa: PT017
        return
    box = capture.animals[0].box
    assert -0.011 < box.x < 1
    assert box.width > 0
    assert box.y + box.height < 1.011


@pytest.mark.parametrize(
    "milliseconds", [1_780_000_000_000_000, 1_780_000_000_000_000_000, 2**63 - 1, -1]
)
def test_a_record_s_time_in_other_units_is_left_out(milliseconds: int) -> None:
    record = Record("resight.captures.v1", 0, 7, None, photograph(), milliseconds)
    assert not decode_capture(record).HasField("published_at")


@pytest.mark.parametrize("name", ["capture_id", "species", "population", "deployment", "sequence"])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x" * 10_000, "10000 characters"),
        ("a\x1b[2J\nforged", "unprintable"),
        ("\u202e", "unprintable"),
    ],
)
def test_names_are_short_and_can_be_shown(name: str, text: str, told: str) -> None:
    capture = Capture(inline=photograph())
    setattr(capture, name, text)
    with pytest.raises(Poison, match=told) as caught:
        decode_capture(_record(capture.SerializeToString()))
    assert caught.value.kind == "bad-text"
    assert name in caught.value.reason
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) < 1000


@pytest.mark.parametrize("key", [b"\0\0\0\x2a", b"\xff" * 8, b"x" * 201, b"a\nb"])
def test_a_key_that_is_no_name_still_tells_cameras_apart(key: bytes) -> None:
    name = decode_capture(_record(photograph(), key=key)).deployment
    assert name.startswith("key-")
    assert name == decode_capture(_record(photograph(seed=2), key=key)).deployment
    assert name != decode_capture(_record(photograph(), key=key + b"1")).deployment


def test_millions_of_animals_are_counted_before_they_are_looked_at() -> None:
    crowd = b"\x52\0" * 4_000_000  # field 10, each empty
    value = Capture(inline=photograph()).SerializeToString() + crowd
    began = time.monotonic()
    with pytest.raises(Poison) as caught:
        decode_capture(_record(value))
    assert caught.value.kind == "too-many-animals"
    assert time.monotonic() - began < 5


def test_so_are_millions_of_boxes_in_a_header() -> None:
    with pytest.raises(Poison) as caught:
        decode_capture(_record(photograph(), {"box": b"0,0,1,1;" * 1000}))
    assert caught.value.kind == "too-many-animals"
    with pytest.raises(Poison, match="8000000 bytes"):
        decode_capture(_record(photograph(), {"box": b"0,0,1,1;" * 1_000_000}))


def test_a_record_larger_than_any_capture_is_not_even_parsed() -> None:
    with pytest.raises(Poison) as caught:
        decode_capture(_record(bytes(40_000_000)))
    assert caught.value.kind == "too-many-bytes"


def test_headers_of_others_may_hold_anything() -> None:
    assert decode_capture(_record(photograph(), {"x-trace": b"\xff\xfe"})).inline


@pytest.mark.parametrize("name", ["latitude", "longitude"])
def test_a_coordinate_never_stands_in_a_reason(name: str) -> None:
    headers = {"latitude": b"-1.5", "longitude": b"36.8", name: b"36,8172"}
    with pytest.raises(Poison) as caught:
        decode_capture(_record(photograph(), headers))
    assert caught.value.kind == "bad-header"
    assert name in caught.value.reason
    assert "36" not in caught.value.reason


def _labelled(deployment: str = "gate") -> bytes:
    return Capture(
        inline=photograph(),
        deployment=deployment,
        identified_by="ada",
        animals=[Animal(identity="Nala")],
    ).SerializeToString()


SIGNED = LabelSettings(secret=SecretStr("s3cret"))


@pytest.mark.parametrize("settings", [None, LabelSettings(), SIGNED])
def test_nobody_names_animals_who_may_not(settings: LabelSettings | None) -> None:
    others = LabelSettings(secret=SecretStr("guessed"))
    for headers in ({}, dict(others.headers(_labelled()))):
        with pytest.raises(Poison, match="RESIGHT_LABELS_SECRET") as refused:
            decode_capture(_record(_labelled(), headers), labels=settings)
        assert refused.value.kind == "labels-refused"


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        (LabelSettings(taken="on"), {}),
        (LabelSettings(deployments=("gate",)), {}),
        (SIGNED, dict(SIGNED.headers(_labelled()))),
    ],
)
def test_labels_count_where_the_operator_allows_it(
    settings: LabelSettings, headers: dict[str, bytes]
) -> None:
    [animal] = decode_capture(_record(_labelled(), headers), labels=settings).animals
    assert animal.identity == "Nala"


def test_a_signature_is_of_one_record_alone() -> None:
    headers = dict(SIGNED.headers(_labelled()))
    with pytest.raises(Poison):
        decode_capture(_record(_labelled("other"), headers), labels=SIGNED)
