"""Folders as cameras, cards and computers leave them."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from catalogue.reading import photographs
from catalogue.reading.catalogue import Skipped
from catalogue.reading.photographs import METADATA
from catalogue.reading.source_folder import Finder, deployment


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6)).save(path)
    return path


@pytest.mark.parametrize(
    ("below", "name"),
    [
        ("gate/DCIM/100MEDIA/IMG_0001.JPG", "gate"),
        ("well/DCIM/101EK113/IMG_0001.JPG", "well"),
        ("well/dcim/100_btcf/IMG_0001.JPG", "well"),
        ("reserve/gate/2026/IMG_0001.JPG", "reserve/gate/2026"),
        ("DCIM/100RECNX/IMG_0001.JPG", "cards"),
        ("IMG_0001.JPG", "cards"),
    ],
)
def test_a_camera_is_named_by_the_folders_that_people_made(
    tmp_path: Path, below: str, name: str
) -> None:
    source = tmp_path / "cards"
    assert deployment(source, picture(source / below)) == name


def test_a_source_inside_a_card_is_named_by_what_holds_the_card(tmp_path: Path) -> None:
    inside = tmp_path / "gate" / "DCIM" / "100MEDIA"
    path = picture(inside / "a.jpg")
    assert deployment(inside, path) == "gate"
    assert photographs.read([path]).photographs[0].deployment == "gate"


def test_two_cards_are_two_cameras(tmp_path: Path) -> None:
    for card in ("gate", "well"):
        picture(tmp_path / card / "DCIM" / "100MEDIA" / "IMG_0001.JPG")
    found = photographs.read([tmp_path])
    assert [each.deployment for each in found.photographs] == ["gate", "well"]


def test_what_belongs_to_the_system_is_passed_over_and_counted(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    for name in (
        "$RECYCLE.BIN/b.jpg",
        "$RECYCLE.BIN/deep/c.jpg",
        ".thumbnails/a.jpg",
        "@eaDir/a.jpg/thumb.jpg",
        "__MACOSX/._a.jpg",
        "System Volume Information/x.jpg",
    ):
        picture(tmp_path / name)
    (tmp_path / "._a.jpg").write_bytes(b"AppleDouble")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    found = photographs.read([tmp_path])
    assert [each.path.name for each in found.photographs] == ["a.jpg"]
    told = {each.path.name: each.reason for each in found.skipped}
    assert told["$RECYCLE.BIN"].startswith("2 hidden files or files of the system")
    assert told[tmp_path.name].startswith("2 hidden files")
    assert not any(each.fault for each in found.skipped)


def test_a_name_that_is_no_utf8_is_written_out(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path / "caf") + b"\xe9"))
    (photograph,) = photographs.read([picture(folder / "a.jpg").parents[1]]).photographs
    assert photograph.deployment == "caf\\xe9"


@pytest.mark.parametrize(
    "written",
    [
        r"gate\Löwe 1.JPG",
        "GATE/löwe 1.jpg",
        "./gate/Löwe 1.JPG",
        unicodedata.normalize("NFD", "gate/Löwe 1.JPG"),
        unicodedata.normalize("NFC", "gate/Löwe 1.JPG"),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_tables_of_every_system_find_their_files(tmp_path: Path, written: str, form: str) -> None:
    name = "".join(unicodedata.normalize("NFD" if form == "NFD" else "NFC", "gate/Löwe 1.JPG"))
    path = picture(tmp_path / name)
    assert Finder(tmp_path).find(written) == path


def test_a_name_that_could_be_two_files_is_neither(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    picture(tmp_path / "A.JPG")
    assert Finder(tmp_path).find("a.JPG") == tmp_path / "a.JPG"
    assert Finder(tmp_path).find("a.jpg") == tmp_path / "a.jpg"


def test_listed_pictures_of_cards_are_of_the_cards_cameras(tmp_path: Path) -> None:
    picture(tmp_path / "gate" / "DCIM" / "100MEDIA" / "a.jpg")
    picture(tmp_path / "images" / "b.jpg")
    (tmp_path / METADATA).write_text("path\ngate\\DCIM\\100MEDIA\\A.JPG\nimages/b.jpg\n")
    found = photographs.read([tmp_path])
    assert [each.deployment for each in found.photographs] == ["gate", tmp_path.name]


def test_a_folder_that_cant_be_read_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(tmp_path / "closed" / "a.jpg")
    picture(tmp_path / "open" / "b.jpg")
    real = os.scandir

    def scandir(path: str) -> Iterator[os.DirEntry[str]]:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = photographs.read([tmp_path])
    assert [each.path.name for each in found.photographs] == ["b.jpg"]
    (skipped,) = found.skipped
    assert skipped == Skipped(tmp_path / "closed", "can't be read: Permission denied")
