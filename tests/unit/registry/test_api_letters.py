"""A dead letter's picture is shown without what its file tells of the place."""

import base64
import io
from datetime import UTC, datetime

import pytest
from PIL import Image

from services.registry.api.pages.inlined import bare
from services.registry.api.pages.letters import shown
from shared.dead_letters import DeadLetter
from shared.messages import Capture
from shared.topics import CAPTURES, SIGHTINGS
from tests.pictures import photograph, scene


def with_place() -> bytes:
    """A JPEG whose EXIF and comment tell a place."""
    picture = Image.fromarray(scene())
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (2.0, 19.0, 59.88)
    exif[0x010E] = "at -2.3333"
    target = io.BytesIO()
    picture.save(target, "JPEG", exif=exif, comment=b"at -2.3333")
    return target.getvalue()


def letter(value: bytes, topic: str = CAPTURES) -> DeadLetter:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    return DeadLetter(topic, 0, 1, b"k", value, {}, "embedder", "why", "corrupt-image", 1, 1, now)


def test_exif_and_comments_are_gone_and_the_picture_is_the_same() -> None:
    told = with_place()
    assert b"-2.3333" in told
    plain = bare(told)
    assert b"-2.3333" not in plain
    assert not Image.open(io.BytesIO(plain)).getexif()
    assert Image.open(io.BytesIO(plain)).tobytes() == Image.open(io.BytesIO(told)).tobytes()


@pytest.mark.parametrize("value", [with_place(), Capture(inline=with_place()).SerializeToString()])
def test_a_capture_of_both_forms_shows_its_picture(value: bytes) -> None:
    kind, _, data = shown(letter(value)).picture.partition(",")
    assert kind == "data:image/jpeg;base64"
    assert b"-2.3333" not in base64.b64decode(data)


@pytest.mark.parametrize(
    ("value", "topic"),
    [
        (b"", CAPTURES),
        (b"rubbish", CAPTURES),
        (photograph()[:100], CAPTURES),
        (photograph(), SIGHTINGS),
        (photograph()[:2] + b"\xff" * 3, CAPTURES),
    ],
)
def test_what_is_no_whole_jpeg_shows_nothing_of_it(value: bytes, topic: str) -> None:
    assert shown(letter(value, topic)).picture == ""
