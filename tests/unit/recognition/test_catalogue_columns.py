"""Tables as other tools write them."""

from pathlib import Path

import pytest
from PIL import Image

from recognition import catalogue
from recognition.catalogue import METADATA, Catalogue
from shared.messages import VIEWPOINT_RIGHT, Box

HEADER = "image_id,identity,path,date,orientation,species,encounter,dataset,original_split"


def read(folder: Path, *lines: str) -> Catalogue:
    Image.new("RGB", (20, 10)).save(folder / "a.jpg")
    (folder / METADATA).write_text("\n".join(lines) + "\n")
    return catalogue.read([folder])


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
        ("[5, 0, 10, 12]", "", "width is '', not the picture's width in pixels"),
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
