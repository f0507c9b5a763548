"""A dead letter's picture is shown as it can be seen, without what its file tells of the place."""

import io
from datetime import UTC, datetime

import pytest
from PIL import Image

from services.registry.api.pages.dead_letters import image_of, shown
from services.registry.api.pictures import redrawing
from services.registry.api.pictures.redrawing import redrawn
from shared.kafka.topics import CAPTURES, SIGHTINGS
from shared.messages import Capture
from shared.process.environment import scrubbed
from shared.stage.dead_letters import DeadLetter, LeftOut, Mark
from tests.support.samples.pictures import photograph, scene

SECRET = b"-2.3333"


def with_place() -> bytes:
    """A JPEG whose EXIF and comment tell a place."""
    picture = Image.fromarray(scene())
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (2.0, 19.0, 59.88)
    exif[0x010E] = "at -2.3333"
    target = io.BytesIO()
    picture.save(target, "JPEG", exif=exif, comment=b"at -2.3333")
    return target.getvalue()


def letter(
    value: bytes, topic: str = CAPTURES, *, placed: bool = True, left_out: LeftOut | None = None
) -> DeadLetter:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    mark = Mark(2, 7, replayed=False) if placed else None
    told = *("embedder", "why", "corrupt-image"), *(1, 1, now)
    return DeadLetter(topic, 0, 1, b"k", value, {}, *told, left_out, mark)


@pytest.mark.parametrize(
    "picture",
    [
        with_place(),
        with_place() + with_place(),  # a second one behind the end, as some cameras write it
        photograph() + with_place(),
    ],
)
def test_what_a_file_tells_beside_its_picture_is_gone(picture: bytes) -> None:
    assert SECRET in picture
    plain = redrawn(picture)
    assert SECRET not in plain
    shown_picture = Image.open(io.BytesIO(plain))
    assert not shown_picture.getexif()
    assert plain.count(b"\xff\xd8\xff") == 1
    assert max(shown_picture.size) <= redrawing.SIDE


@pytest.mark.parametrize(
    "value", [b"", b"rubbish", photograph()[:100], photograph()[:2] + b"\xff" * 3]
)
def test_what_can_t_be_decoded_is_not_shown(value: bytes) -> None:
    assert redrawn(value) == b""


def test_a_picture_that_takes_too_much_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redrawing, "MEGABYTES", 10)
    assert redrawn(photograph()) == b""


def test_whoever_decodes_gets_no_secret_of_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "AWS_SECRET_ACCESS_KEY",
        "RESIGHT_LEDGER_PASSWORD",
        "GOOGLE_APPLICATION_CREDENTIALS",
    ):
        monkeypatch.setenv(name, "secret")
    assert "secret" not in scrubbed().values()
    assert "PATH" in scrubbed()


@pytest.mark.parametrize("value", [with_place(), Capture(inline=with_place()).SerializeToString()])
def test_a_capture_of_both_forms_has_its_picture(value: bytes) -> None:
    assert image_of(letter(value)) == with_place()


def test_a_letter_says_where_its_picture_is_and_holds_none() -> None:
    told = shown(letter(photograph()))
    assert told.picture == f"/letters/{CAPTURES}.embedder.dlq/2/7/picture"
    assert shown(letter(b"", SIGHTINGS)).picture == ""
    assert shown(letter(b"", left_out=LeftOut(9, "ab"))).picture == ""
    assert image_of(letter(photograph(), SIGHTINGS)) == b""
    assert image_of(letter(b"rubbish")) == b""
