"""The keypoints' compact form: what goes in comes out, and nothing else is believed."""

import struct
from dataclasses import replace

import numpy as np
import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from shared.identifiers import WHOLE_PICTURE
from shared.keypoints.keypoints import (
    FORMAT,
    HEADER,
    STEPS,
    Keypoints,
    UnreadableKeypointsError,
    Window,
    decode,
    encode,
    none_in,
    sound,
)

WIDTH, HEIGHT = 384, 288


@st.composite
def keypoints(draw: st.DrawFn) -> Keypoints:
    count, length = draw(st.integers(0, 9)), draw(st.integers(1, 8))
    steps = st.integers(0, HEIGHT * STEPS)
    return Keypoints(
        draw(arrays.arrays(np.uint16, (count, 2), elements=steps)).astype(np.float32)
        / np.float32(STEPS),
        draw(arrays.arrays(np.float16, count, elements=st.floats(0, 99, width=16))).astype(
            np.float32
        ),
        draw(arrays.arrays(np.int8, (count, length))),
        WIDTH,
        HEIGHT,
        draw(st.none() | arrays.arrays(np.bool_, count)),
        draw(st.sampled_from([WHOLE_PICTURE, (0.25, 0.5, 0.125, 0.5)])),
    )


@given(keypoints())
def test_what_is_encoded_is_decoded(original: Keypoints) -> None:
    copy = decode(encode(original))
    np.testing.assert_array_equal(copy.positions, original.positions)
    np.testing.assert_array_equal(copy.scores, original.scores)
    np.testing.assert_array_equal(copy.descriptors, original.descriptors)
    np.testing.assert_equal(copy.animal, original.animal)
    assert (copy.width, copy.height) == (WIDTH, HEIGHT)
    assert copy.window == original.window


@given(keypoints(), st.data())
def test_any_changed_byte_is_noticed(original: Keypoints, data: st.DataObject) -> None:
    content = bytearray(encode(original))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(UnreadableKeypointsError):
        decode(bytes(content))


@given(keypoints(), st.integers(1, 40))
def test_truncated_content_is_refused(original: Keypoints, missing: int) -> None:
    with pytest.raises(UnreadableKeypointsError):
        decode(encode(original)[:-missing])


@given(st.binary(max_size=200))
def test_foreign_content_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableKeypointsError):
        decode(content)


def _sealed(count: int, length: int, body: bytes, version: int = FORMAT) -> bytes:
    """Content whose checksum is right, whatever it says."""
    sizes = struct.pack("<IIIIB4f", WIDTH, HEIGHT, count, length, 0, *WHOLE_PICTURE)
    return struct.pack("<4sBI", b"RKPT", version, crc32c(sizes + body)) + sizes + body


def test_the_sealed_content_of_these_tests_is_what_is_written() -> None:
    assert _sealed(0, 8, b"") == encode(none_in(WIDTH, HEIGHT, 8))


def test_another_format_is_refused() -> None:
    with pytest.raises(UnreadableKeypointsError, match=f"not {FORMAT}"):
        decode(_sealed(0, 8, b"", version=FORMAT + 1))


def test_a_count_that_does_not_fit_the_bytes_is_refused() -> None:
    with pytest.raises(UnreadableKeypointsError, match="bytes instead of"):
        decode(_sealed(4_000_000_000, 4_000_000_000, b""))


def test_sealed_values_that_are_not_finite_are_refused() -> None:
    body = (
        np.array([32, 32], np.uint16).tobytes() + np.array([np.nan], np.float16).tobytes() + b"ab"
    )
    with pytest.raises(UnreadableKeypointsError, match="not finite"):
        decode(_sealed(1, 2, body))


def test_a_keypoint_outside_its_picture_is_refused() -> None:
    steps = np.array([(WIDTH + 1) * STEPS, 1], np.uint16)
    body = steps.tobytes() + np.array([1], np.float16).tobytes() + b"ab"
    with pytest.raises(UnreadableKeypointsError, match="outside"):
        decode(_sealed(1, 2, body))


def test_marks_that_do_not_fit_are_refused() -> None:
    whole = none_in(WIDTH, HEIGHT, 2)
    with pytest.raises(ValueError, match="marks"):
        whole.marked(np.ones(1, np.bool_))


@pytest.mark.parametrize("window", [(-0.1, 0, 1, 1), (0, 0, 0, 1), (0, 0, 1, float("nan"))])
def test_a_window_that_is_no_part_of_the_crop_is_refused(window: Window) -> None:
    with pytest.raises(ValueError, match="window"):
        replace(none_in(WIDTH, HEIGHT, 2), window=window)


def test_keypoints_of_a_window_lie_in_the_crop() -> None:
    one = np.ones((1, 2), np.float32)
    seen = sound(96 * one, one[0, :1], one, width=WIDTH, height=HEIGHT)
    shown = replace(seen, window=(0.5, 0.25, 0.5, 0.75))
    np.testing.assert_allclose(shown.in_crop(), [[0.5 + 0.125, 0.25 + 0.25]])


def test_keypoints_known_as_background_do_not_count() -> None:
    three = sound(
        np.array([[1, 1], [2, 2], [3, 3]], np.float32),
        np.ones(3, np.float32),
        np.ones((3, 2), np.float32),
        width=WIDTH,
        height=HEIGHT,
    )
    assert three.foreground() is three
    counting = three.marked(np.array([True, False, True])).foreground()
    np.testing.assert_array_equal(counting.positions, [[1, 1], [3, 3]])
    assert counting.animal is not None
    assert counting.animal.all()


def test_a_networks_unusable_keypoints_are_left_out() -> None:
    nan = float("nan")
    positions = np.array([[1, 1], [2, 2], [nan, 3], [4, 4], [-1, 5], [6, 999]], np.float32)
    scores = np.array([1, nan, 1, 1, 1, 1], np.float32)
    descriptors = np.ones((6, 4), np.float32)
    descriptors[3, 2] = nan
    kept = sound(positions, scores, descriptors, width=WIDTH, height=HEIGHT)
    np.testing.assert_array_equal(kept.positions, [[1, 1]])


def test_weak_keypoints_are_left_out() -> None:
    ones = np.ones((3, 2), np.float32)
    scores = np.array([0.1, 0.2, 0.3], np.float32)
    kept = sound(ones, scores, ones, width=WIDTH, height=HEIGHT, least_score=0.2)
    np.testing.assert_allclose(kept.scores, scores[1:], atol=1e-3)


def test_256_keypoints_of_128_dimensions_take_less_than_35_kb() -> None:
    size = HEADER.size + 256 * (4 + 2 + 128 + 1)
    some = sound(
        np.ones((256, 2), np.float32),
        np.ones(256, np.float32),
        np.ones((256, 128), np.float32),
        width=WIDTH,
        height=HEIGHT,
    ).marked(np.ones(256, np.bool_))
    assert len(encode(some)) == size < 35_000


def test_eight_bits_keep_directions() -> None:
    vectors = np.random.default_rng(0).normal(size=(300, 128)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    exact = vectors @ vectors.T
    kept = sound(
        np.ones((300, 2), np.float32), np.ones(300, np.float32), vectors, width=9, height=9
    )
    np.testing.assert_allclose(kept.unit() @ kept.unit().T, exact, atol=0.004)


def test_a_descriptor_of_zeros_stays_one() -> None:
    one = np.ones((1, 2), np.float32)
    assert not sound(one, one[0, :1], 0 * one, width=9, height=9).unit().any()


def test_fresh_keypoints_are_those_of_the_cache() -> None:
    rng = np.random.default_rng(0)
    fresh = sound(
        rng.uniform(0, 384, (50, 2)).astype(np.float32),
        rng.random(50, dtype=np.float32),
        rng.normal(size=(50, 8)).astype(np.float32),
        width=384,
        height=384,
    )
    cached = decode(encode(fresh))
    np.testing.assert_array_equal(cached.positions, fresh.positions)
    np.testing.assert_array_equal(cached.scores, fresh.scores)
    np.testing.assert_array_equal(cached.descriptors, fresh.descriptors)


def test_a_picture_too_large_for_its_positions_is_refused() -> None:
    with pytest.raises(ValueError, match="4096x9 pixels is too large"):
        encode(none_in(4096, 9, 8))
