"""What is found in a folder of photographs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from catalogue.reading import photographs
from catalogue.reading.catalogue import Catalogue, Photograph
from catalogue.reading.photographs import METADATA
from shared.messages import VIEWPOINT_LEFT, VIEWPOINT_UNSPECIFIED, Box

HEADER = "path,identity,species,viewpoint,date"


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6)).save(path)
    return path


def table(folder: Path, *lines: str) -> Catalogue:
    (folder / METADATA).write_text("\n".join(lines) + "\n")
    return photographs.read([folder])


def test_a_folder_without_metadata_gives_its_pictures_by_name(tmp_path: Path) -> None:
    for name in ("gate/b.jpg", "gate/a.png", "well/c.jpg"):
        picture(tmp_path / name)
    found = photographs.read([tmp_path])
    assert [each.path.name for each in found.photographs] == ["a.png", "b.jpg", "c.jpg"]
    assert [each.deployment for each in found.photographs] == ["gate", "gate", "well"]


def test_what_is_no_picture_is_skipped_with_its_kind(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("lions at noon")
    (tmp_path / "all.jpg").write_bytes(b"PK\x03\x04rest of an archive")
    skipped = {each.path.name: each.reason for each in photographs.read([tmp_path]).skipped}
    assert "ZIP" in skipped["all.jpg"]
    assert "not a JPEG" in skipped["notes.txt"]


def test_metadata_describes_the_animal(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "1.jpg")
    found = table(tmp_path, HEADER, "images/1.jpg,leo,lion,Left,2026-05-04T06:12:00")
    (photograph,) = found.photographs
    assert photograph.species == "lion"
    assert photograph.viewpoint == VIEWPOINT_LEFT
    assert photograph.captured_at == datetime(2026, 5, 4, 6, 12, tzinfo=UTC)
    assert photograph.identities == ("leo",)
    assert photograph.deployment == tmp_path.name


def test_two_rows_of_one_picture_are_two_animals_even_if_they_lie_apart(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        picture(tmp_path / name)
    found = table(
        tmp_path,
        f"{HEADER},x,y,width,height",
        "a.jpg,leo,lion,left,,0.0,0.1,0.5,0.5",
        "b.jpg,kim,lion,,,,,,",
        "a.jpg,ida,lion,odd,,0.5,0.1,0.25,0.5",
    )
    first, second = found.photographs
    assert first.identities == ("leo", "ida")
    assert first.animals[1].box == Box(x=0.5, y=0.1, width=0.25, height=0.5)
    assert first.animals[1].viewpoint == VIEWPOINT_UNSPECIFIED
    assert second.animals == ()


def test_rows_of_one_picture_that_disagree_about_it_are_told(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    found = table(
        tmp_path,
        "path,species,deployment,x,y,width,height",
        "a.jpg,lion,gate,0.0,0.1,0.5,0.5",
        "a.jpg,zebra,well,0.5,0.1,0.25,0.5",
    )
    assert found.photographs[0].deployment == "gate"
    assert [note.partition("a.jpg: ")[2] for note in found.notes] == [
        "its rows disagree about deployment; the first is used"
    ]


def test_the_size_of_the_picture_is_no_box(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    found = table(tmp_path, f"{HEADER},width,height", "a.jpg,leo,lion,left,,512,400")
    assert found.photographs[0].animals == ()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("gone.jpg,leo,lion,left,", "file not found"),
        ("a.jpg,leo,lion,left,4th of May", "'4th of May'"),
        ("a.jpg,leo,lion,left,,0.1,,0.5,0.5", "y is ''"),
        ("a.jpg,leo,lion,left,,0.1,nan,0.5,0.5", "y is ''"),
        ("a.jpg,leo,lion,left,,0.1,inf,0.5,0.5", "y is 'inf'"),
        ("a.jpg,leo,lion,left,04/05/2026", "day and month are ambiguous"),
        ("a.jpg,leo,lion,left,0001-01-01T00:00:00+14:00", "beyond the years 1 to 9999"),
        ("a.jpg,leo,lion,left,31.02.2026", "'31.02.2026'"),
        (",leo,lion,left,", "row 1 has no picture"),
    ],
)
def test_a_row_that_makes_no_sense_is_skipped_with_its_fault(
    tmp_path: Path, row: str, reason: str
) -> None:
    picture(tmp_path / "a.jpg")
    found = table(tmp_path, f"{HEADER},x,y,width,height", row)
    assert found.photographs == ()
    assert reason in found.skipped[0].reason


def test_two_animals_without_boxes_can_not_be_told_apart(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    found = table(tmp_path, HEADER, "a.jpg,leo,lion,,", "a.jpg,ida,lion,,")
    assert "2 rows" in found.skipped[0].reason


def test_a_picture_that_metadata_does_not_list_is_named(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    picture(tmp_path / "b.jpg")
    found = table(tmp_path, HEADER, "a.jpg,leo,lion,,")
    assert [(each.path.name, each.reason) for each in found.skipped] == [
        ("b.jpg", "not listed in metadata.csv")
    ]


def test_metadata_without_paths_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no column 'path'"):
        table(tmp_path, "name,species", "a.jpg,lion")


def test_what_is_given_replaces_what_was_found(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    found = photographs.read([tmp_path]).labelled(species="lion", population="north")
    assert found.photographs[0].species == "lion"
    assert found.photographs[0].population == "north"
    assert found.photographs[0].deployment == tmp_path.name


def test_each_animal_alone_keeps_its_box_viewpoint_and_identity(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    picture(tmp_path / "b.jpg")
    found = table(
        tmp_path,
        f"{HEADER},x,y,width,height",
        "a.jpg,leo,lion,,,0.0,0.1,0.5,0.5",
        "a.jpg,ida,lion,left,,0.5,0.1,0.25,0.5",
        "b.jpg,kim,lion,left,,,,,",
    )
    leo, ida, kim = photographs.single(found.photographs)
    assert [each.identities for each in (leo, ida, kim)] == [("leo",), ("ida",), ("kim",)]
    assert (leo.viewpoint, ida.viewpoint) == (VIEWPOINT_UNSPECIFIED, VIEWPOINT_LEFT)
    assert [animal.box.x for animal in ida.animals] == [0.5]
    assert kim == found.photographs[1]


@pytest.mark.parametrize(
    ("name", "sequence", "encounter"),
    [
        ("299_leftphoto.jpg", "", "299"),
        ("299_rightphoto.jpg", "s7", "s7"),
        ("11_cropped.jpg", "", ""),
        ("IMG_0299_left.jpg", "", ""),
    ],
)
def test_an_encounter_is_the_sequence_or_the_number_before_the_flank(
    name: str, sequence: str, encounter: str
) -> None:
    assert Photograph(Path("100") / name, sequence=sequence).encounter == encounter


def test_an_unknown_animal_has_no_identity(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    found = table(tmp_path, HEADER, "a.jpg,Unknown,lion,,")
    assert found.photographs[0].identities == ("",)
