from pathlib import Path

from catalogue.reading import photographs
from catalogue.reading.decodable import decodable
from tests.support.samples.pictures import photograph


def test_pictures_that_cant_be_decoded_are_left_out_with_their_reasons(tmp_path: Path) -> None:
    whole = photograph(400, 300)
    (tmp_path / "a.jpg").write_bytes(whole)
    (tmp_path / "b.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "c.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(200))
    found = decodable(photographs.read([tmp_path]))
    assert [each.path.name for each in found.photographs] == ["a.jpg"]
    told = {each.path.name: each.reason for each in found.skipped}
    assert "ends early" in told["b.jpg"]
    assert "damaged" in told["c.jpg"]


def test_one_that_is_gone_meanwhile_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(photograph())
    found = photographs.read([tmp_path])
    (tmp_path / "a.jpg").unlink()
    (skipped,) = decodable(found).skipped
    assert "can't be read: No such file" in skipped.reason
