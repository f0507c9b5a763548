"""Tables as other tools write them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from catalogue.reading import photographs
from catalogue.reading.catalogue import Catalogue, Photograph
from catalogue.reading.photographs import METADATA
from shared.messages import VIEWPOINT_RIGHT, Box

HEADER = "image_id,identity,path,date,orientation,species,encounter,dataset,original_split"


def read(folder: Path, *lines: str) -> Catalogue:
    Image.new("RGB", (20, 10)).save(folder / "a.jpg")
    (folder / METADATA).write_text("\n".join(lines) + "\n")
    return photographs.read([folder])


def test_a_table_in_the_format_of_wildlife_datasets_is_understood(tmp_path: Path) -> None:
    row = "0,lynx_37,a.jpg,2019-03-02,right,lynx,e5,LynxID2025,database"
    (photograph,) = read(tmp_path, HEADER, row).photographs
    assert photograph.viewpoint == VIEWPOINT_RIGHT
    assert photograph.encounter == photograph.sequence == "e5"
    assert photograph.population == "LynxID2025"
    assert photograph.split == "database"


def test_our_own_column_goes_before_another_name_of_it(tmp_path: Path) -> None:
    found = read(tmp_path, "path,population,dataset", "a.jpg,north,LynxID2025")
    assert found.photographs[0].population == "north"


def test_a_box_in_pixels_becomes_fractions_and_ends_at_the_border(tmp_path: Path) -> None:
    found = read(tmp_path, "path,bbox,width,height", 'a.jpg,"[5, -1, 10.0, 12]",20,10')
    assert found.photographs[0].animals[0].box == Box(x=0.25, y=0.0, width=0.5, height=1.0)


@pytest.mark.parametrize(
    ("bbox", "size", "reason"),
    [
        ("[5, 0, 10, 12]", "wide", "width is 'wide', not the picture's size in pixels"),
        ("[5, 0, 10]", "20", "bbox is '[5, 0, 10]', not"),
        ("5 0 10 12", "20", "bbox is '5 0 10 12', not"),
        ("[30, 0, 10, 12]", "20", "outside of 20 × 10 pixels"),
    ],
)
def test_a_box_that_makes_no_sense_is_told(
    tmp_path: Path, bbox: str, size: str, reason: str
) -> None:
    found = read(tmp_path, "path,bbox,width,height", f'a.jpg,"{bbox}",{size},10')
    assert reason in found.skipped[0].reason


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("path,x,y,width,height", "a.jpg,0.25,0.0,0.5,1.0"),
        ("path,x,y,width,height", "a.jpg,5,0,10,10"),  # pixels, of a picture of 20 × 10
        ("path,bbox", 'a.jpg,"[0.25, 0.0, 0.5, 1.0]"'),  # MegaDetector
        ("path,bbox", 'a.jpg,"[5, 0, 10, 10]"'),
        ("filePath,bboxX,bboxY,bboxWidth,bboxHeight", "a.jpg,0.25,0.0,0.5,1.0"),  # Camtrap DP
        (" Path , BBox ,WIDTH,Height", 'a.jpg,"[5, 0, 10, 10]",20,10'),
        ("path;x;y;width;height", "a.jpg;0.25;0.0;0.5;1.0"),
    ],
)
def test_boxes_of_every_tool_are_the_same_box(tmp_path: Path, header: str, row: str) -> None:
    (photograph,) = read(tmp_path, header, row).photographs
    assert photograph.animals[0].box == Box(x=0.25, y=0.0, width=0.5, height=1.0)


@pytest.mark.parametrize("empty", ["", " ", "NA", "N/A", "nan", "NULL", "None", "-", "#N/A"])
def test_what_tools_write_for_nothing_is_nothing_in_every_column(
    tmp_path: Path, empty: str
) -> None:
    header = "path,identity,species,viewpoint,date,deployment,sequence,population,x,y"
    (photograph,) = read(tmp_path, header, f"a.jpg{f',{empty}' * 9}").photographs
    assert photograph == Photograph(tmp_path / "a.jpg", deployment=tmp_path.name, identities=("",))


@pytest.mark.parametrize(
    "date",
    [
        "2026-05-04T06:12:00",
        "2026-05-04 06:12:00",
        "2026:05:04 06:12:00",
        "2026/05/04 06:12",
        "04.05.2026 06:12",
        "4.5.2026 06:12:00",
        "04-May-2026 06:12:00",
        "2026-05-04T08:12:00+02:00",
    ],
)
def test_dates_in_the_usual_formats_are_understood(tmp_path: Path, date: str) -> None:
    (photograph,) = read(tmp_path, "path,date", f"a.jpg,{date}").photographs
    assert photograph.captured_at == datetime(2026, 5, 4, 6, 12, tzinfo=UTC)


@pytest.mark.parametrize("date", ["25/05/2026", "05/25/2026", "5/25/2026"])
def test_day_and_month_are_told_apart_where_they_can_be(tmp_path: Path, date: str) -> None:
    (photograph,) = read(tmp_path, "path,date", f"a.jpg,{date}").photographs
    assert photograph.captured_at == datetime(2026, 5, 25, tzinfo=UTC)


def test_columns_and_words_that_nothing_is_made_of_are_told(tmp_path: Path) -> None:
    found = read(
        tmp_path, "path,specie,mood,viewpoint", "a.jpg,lion,calm,lft", "a.jpg,lion,calm,left"
    )
    assert "specie (did you mean species?), mood" in found.notes[0]
    assert "viewpoint 'lft' (1 rows) counts as unknown" in found.notes[1]
    assert len(found.notes) == 2


def test_animals_of_two_species_in_one_picture_keep_their_own(tmp_path: Path) -> None:
    header = "path,species,x,y,width,height"
    rows = ("a.jpg,lion,0,0,0.5,1", "a.jpg,zebra,0.5,0,0.5,1")
    found = read(tmp_path, header, *rows)
    (photograph,) = found.photographs
    assert photograph.species == "lion"
    assert [animal.species for animal in photograph.animals] == ["", "zebra"]
    assert [each.species for each in photographs.single([photograph])] == ["lion", "zebra"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings_of_spreadsheets_are_read(tmp_path: Path, encoding: str) -> None:
    Image.new("RGB", (20, 10)).save(tmp_path / "a.jpg")
    (tmp_path / METADATA).write_text("path,species\na.jpg,狮子\n", encoding=encoding)
    assert photographs.read([tmp_path]).photographs[0].species == "狮子"


def test_another_encoding_is_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / METADATA).write_bytes("path,species\na.jpg,Löwe\n".encode("cp1252"))
    with pytest.raises(ValueError, match=r"not in UTF-8 .* save it as"):
        photographs.read([tmp_path])
