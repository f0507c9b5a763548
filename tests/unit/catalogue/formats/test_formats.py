"""Catalogues of other tools come in with a true account of what is not taken."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from catalogue.formats import detection
from catalogue.plan import Plan, plan
from catalogue.reading.limits import COMMAND
from catalogue.reading.listing import ForeignError
from shared.messages import VIEWPOINT_LEFT, VIEWPOINT_RIGHT
from tests.support.samples.pictures import photograph


def pictures(folder: Path, *names: str) -> Path:
    for seed, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(photograph(320, 240, seed))
    return folder


def reasons(planned: Plan) -> dict[str, str]:
    return {each.where: each.reason for each in planned.left_out}


def coco(folder: Path, annotations: list[dict[str, Any]], **more: Any) -> Path:
    told = {
        "categories": [
            {"id": 1, "name": "Panthera leo"},
            {"id": 2, "name": "Panthera pardus"},
            {"id": 3, "name": "person"},
        ],
        "images": [
            {"id": n, "file_name": f"{n}.jpg", "width": 320, "height": 240, "location": "gate"}
            for n in range(1, 6)
        ],
        "annotations": annotations,
        **more,
    }
    (folder / "annotations.json").write_text(json.dumps(told))
    return folder


def test_coco_with_boxes_of_both_kinds_several_species_and_what_is_missing(tmp_path: Path) -> None:
    pictures(tmp_path, *(f"{n}.jpg" for n in range(1, 5)))  # 5.jpg is not there
    planned = plan(
        coco(
            tmp_path,
            [
                {
                    "id": 1,
                    "image_id": 1,
                    "category_id": 1,
                    "bbox": [32, 24, 160, 120],
                    "name": "Nala",
                },
                {
                    "id": 2,
                    "image_id": 1,
                    "category_id": 2,
                    "bbox": [0.5, 0.5, 0.4, 0.4],
                    "individual_ids": [7],
                },
                {
                    "id": 3,
                    "image_id": 2,
                    "category_id": 1,
                    "attributes": {"individual_id": "Nala", "viewpoint": "left"},
                },
                {"id": 4, "image_id": 3, "category_id": 3, "bbox": [0, 0, 9, 9]},
                {"id": 5, "image_id": 4, "category_id": 1, "name": "NA"},
                {"id": 6, "image_id": 5, "category_id": 1, "name": "Nala"},
                {"id": 7, "image_id": 99, "category_id": 1, "name": "Nala"},
            ],
            individuals=[{"id": 7, "name": "Bagheera"}],
        )
    )
    assert planned.galleries == {"default/panthera-leo": (2, 1), "default/panthera-pardus": (1, 1)}
    first, second = planned.photographs
    assert first.identities == ("Nala", "Bagheera")
    assert [round(each.box.width, 3) for each in first.animals] == [0.5, 0.4]
    assert (second.viewpoint, second.deployment, second.captured_at) == (
        *(VIEWPOINT_LEFT, "gate", None),
    )
    told = reasons(planned)
    assert "not an animal" in told["annotations.json, annotation 4"]
    assert "no identity" in told["4.jpg"]
    assert "5.jpg" in " ".join(told)
    assert "not listed" in told["annotations.json, annotation 7"]
    assert len(told) == 4


def test_coco_beside_its_folder_of_pictures(tmp_path: Path) -> None:
    pictures(tmp_path, "images/1.jpg")
    (tmp_path / "annotations").mkdir()
    folder = coco(tmp_path / "annotations", [{"image_id": 1, "category_id": 1, "name": "Nala"}])
    assert plan(folder / "annotations.json").sightings == 1


OBSERVATIONS = """observationID,deploymentID,mediaID,eventID,eventStart,eventEnd,observationLevel,\
observationType,scientificName,count,individualID,bboxX,bboxY,bboxWidth,bboxHeight
o1,d1,m1,e1,2026-03-01T06:00:00Z,2026-03-01T06:00:00Z,media,animal,lion,1,Nala,0.1,0.1,0.5,0.5
o2,d1,m1,e1,2026-03-01T06:00:00Z,2026-03-01T06:00:00Z,media,animal,leopard,1,NA,0.6,0.1,0.3,0.5
o3,d1,m2,e2,2026-03-01T06:00:00Z,2026-03-01T06:00:00Z,media,animal,lion,1,Nala,,,,
o4,d1,m3,e3,2026-03-01T06:00:00Z,2026-03-01T06:00:00Z,media,blank,NA,NA,NA,NA,NA,NA,NA
o5,d1,NA,e3,2026-03-01T06:00:00Z,2026-03-01T06:00:00Z,event,animal,Panthera leo,2,Nala,NA,NA,NA,NA
o6,d1,m4,e4,2026-03-01T06:00:00Z,2026-03-01T06:00:00Z,media,animal,lion,1,Nala,,,,
o7,d1,m9,e4,2026-03-01T06:00:00Z,2026-03-01T06:00:00Z,media,animal,lion,1,Nala,,,,
"""
MEDIA = """mediaID,deploymentID,timestamp,filePath,filePublic,fileMediatype
m1,d1,2026-03-01T06:00:00Z,media/1.jpg,false,image/jpeg
m2,d1,NA,media/2.jpg,false,image/jpeg
m3,d1,2026-03-01T06:02:00Z,media/3.jpg,false,image/jpeg
m4,d1,2026-03-01T06:02:00Z,https://multimedia.example/4.jpg,false,image/jpeg
m5,d1,2026-03-01T06:02:00Z,media/5.jpg,false,image/jpeg
"""


def camtrap(folder: Path) -> Path:
    pictures(folder, "media/1.jpg", "media/2.jpg", "media/3.jpg")
    tables = {
        "deployments": "deploymentID,latitude,longitude\nd1,-2.3333,34.8333\n",
        "media": MEDIA,
        "observations": OBSERVATIONS,
    }
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    resources = [{"name": name, "path": f"{name}.csv"} for name in tables]
    (folder / "datapackage.json").write_text(json.dumps({"resources": resources}))
    return folder


def test_a_camtrap_dp_package_comes_in_with_places_boxes_and_its_gaps(tmp_path: Path) -> None:
    planned = plan(camtrap(tmp_path))
    assert planned.format == "Camtrap DP"
    assert planned.galleries == {"default/lion": (2, 1)}
    first, second = planned.photographs
    assert first.place is not None
    assert (first.place.latitude, first.sequence, first.identities) == (-2.3333, "e1", ("Nala",))
    assert len(first.animals) == 1
    assert second.captured_at is None
    told = reasons(planned)
    for where, word in (
        ("media/1.jpg", "no identity"),
        ("observations.csv, line 5", "observes blank"),
        ("observations.csv, line 6", "about an event"),
        ("observations.csv, line 7", "on the web"),
        ("observations.csv, line 8", "not listed"),
        ("media.csv, m5", "marked as blank"),
    ):
        assert word in told[where], where
    assert len(told) == 6


def test_a_package_may_not_lead_out_of_its_folder(tmp_path: Path) -> None:
    folder = camtrap(tmp_path / "package")
    told = {
        "resources": [
            {"name": n, "path": f"../{n}.csv"} for n in ("deployments", "media", "observations")
        ]
    }
    for name in ("deployments", "media", "observations"):
        (tmp_path / f"{name}.csv").write_text("a,b\n")
    (folder / "datapackage.json").write_text(json.dumps(told))
    with pytest.raises(ForeignError, match="has no table"):
        plan(folder)


def test_wildbooks_table_with_several_pictures_a_row(tmp_path: Path) -> None:
    pictures(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    (tmp_path / "bulk.csv").write_text(
        "Encounter.mediaAsset0;Encounter.mediaAsset1;Encounter.individualID;Encounter.genus;"
        "Encounter.specificEpithet;Encounter.year;Encounter.month;Encounter.day;Encounter.hour;"
        "Encounter.decimalLatitude;Encounter.decimalLongitude;Encounter.locationID\n"
        "a.jpg;b.jpg;Nala;Panthera;leo;2026;3;1;6;-2.3;34.8;Seronera\n"
        "c.jpg;;;Panthera;leo;;;;;;;\n"
        ";;Simba;Panthera;leo;2026;3;1;6;;;\n"
        "c.jpg;;Simba;Panthera;leo;2026;March;1;6;;;\n"
    )
    planned = plan(tmp_path)
    assert planned.galleries == {"default/panthera-leo": (2, 1)}
    first = planned.photographs[0]
    assert first.captured_at is not None
    assert (first.deployment, first.captured_at.hour) == ("Seronera", 6)
    told = reasons(planned)
    assert "no identity" in told["c.jpg"]
    assert "has no picture" in told["bulk.csv, line 4"]
    assert "not numbers" in told["bulk.csv, line 5"]


def test_a_folder_for_each_individual_with_or_without_its_sides(tmp_path: Path) -> None:
    pictures(tmp_path, "Nala/1.jpg", "Nala/right/2.jpg", "Simba/3.jpg", "loose.jpg")
    (tmp_path / "Nala" / "notes.txt").write_text("a scar")
    planned = plan(tmp_path, species="lion")
    assert planned.galleries == {"default/lion": (3, 2)}
    sides = {each.path.name: each.viewpoint for each in planned.photographs}
    assert sides["2.jpg"] == VIEWPOINT_RIGHT
    told = reasons(planned)
    assert told == {
        "Nala/notes.txt": "it is not a picture",
        "loose.jpg": "it is not in an individual's folder",
    }


def test_a_metadata_csv_is_taken_as_publish_takes_it(tmp_path: Path) -> None:
    pictures(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / "metadata.csv").write_text(
        "path,identity,species,latitude,longitude\n1.jpg,Nala,lion,-2.3,34.8\n2.jpg,,lion,95,0\n"
    )
    planned = plan(tmp_path)
    assert planned.sightings == 1
    assert "are not a location" in reasons(planned)["2.jpg"]


def test_a_zip_is_unpacked_and_never_beside_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "catalogue.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("lions/Nala/1.jpg", photograph())
        packed.writestr("__MACOSX/lions/Nala/._1.jpg", b"rubbish")
        packed.writestr("../../evil.jpg", photograph())
    target = tmp_path / "a" / "b"
    with archive.open("rb") as file:
        folder = detection.unpack(file, archive.name, target)
    assert not (tmp_path / "evil.jpg").exists()
    assert plan(folder if folder != target else target / "lions", species="lion").sightings == 1
    with pytest.raises(ForeignError, match=r"catalogue\.zip is not a valid ZIP"):
        detection.unpack(io.BytesIO(b"no zip"), "catalogue.zip", tmp_path / "c")
    with archive.open("rb") as file, pytest.raises(ForeignError, match="unpacks to"):
        detection.unpack(file, archive.name, tmp_path / "d", replace(COMMAND, unpacked_bytes=100))
    assert not (tmp_path / "d").exists()
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=100))
    with archive.open("rb") as file, pytest.raises(ForeignError, match="100 are free"):
        detection.unpack(file, archive.name, tmp_path / "e")
    assert not any((tmp_path / "e").iterdir())


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("x.json", '{"images": [{}], "annotations": []}', "is not a COCO file"),
        ("datapackage.json", '{"resources": []}', "names no"),
        ("list.csv", "a,b\n1,2\n", "is not COCO"),
    ],
)
def test_a_damaged_catalogue_says_what_is_wrong(
    tmp_path: Path, name: str, text: str, word: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ForeignError, match=word):
        plan(tmp_path / name)
