"""A small ZIP can't cost much memory or time, whatever it unpacks to."""

import io
import threading
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from catalogue.formats import detection
from catalogue.plan import plan
from catalogue.reading.limits import PAGES
from catalogue.reading.listing import ForeignError
from services.registry.imports.importer import MOST_HELD, BusyError, Importer
from services.registry.imports.register import ImportRegister
from services.registry.ledger.store import Store
from shared.settings import KafkaSettings
from tests.support.samples.hostile_archives import MEBIBYTE, million_files, zipped
from tests.support.samples.pictures import photograph


@contextmanager
def memory(most: int) -> Iterator[None]:
    """What the block allocates at once stays below so many bytes."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


def brought(archive: bytes, folder: Path) -> None:
    """Read a ZIP as the pages do."""
    source = detection.unpack(io.BytesIO(archive), "catalogue.zip", folder / "in", PAGES)
    plan(source, species="lion", confined=True, limits=PAGES)


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("metadata.csv", b"path,identity\n" + b"\n" * 40 * MEBIBYTE, "more than 200,000 lines"),
        ("metadata.csv", b"path,identity\n" + b"\n" * 70 * MEBIBYTE, "bytes, and"),
        ("metadata.csv", b"path," + b"a," * 400_000 + b"\n", "columns"),
        ("metadata.csv", b"path,identity\n" + b"a" * 5 * MEBIBYTE, "characters"),
        ("wildbook.csv", b"Encounter.mediaAsset0\n" + b"\n" * 40 * MEBIBYTE, "200,000 lines"),
        ("coco.json", b"[" + b"[]," * 9_000_000 + b"[]]", "values"),
        ("datapackage.json", b"[" + b"1," * 30_000_000 + b"1]", "values"),
    ],
)
def test_a_table_that_is_too_long_is_refused_before_it_fills_memory(
    tmp_path: Path, name: str, data: bytes, word: str
) -> None:
    archive = zipped(name, data)
    assert len(archive) < MEBIBYTE
    with memory(80 * MEBIBYTE), pytest.raises(ValueError, match=word):
        brought(archive, tmp_path)


def test_json_that_is_nested_too_deeply_is_no_catalogue(tmp_path: Path) -> None:
    brought(zipped("coco.json", b'{"images":' + b"[" * 200_000), tmp_path)


def test_a_list_of_a_million_files_is_refused_before_it_is_read(tmp_path: Path) -> None:
    archive = io.BytesIO(million_files())
    with memory(80 * MEBIBYTE), pytest.raises(ForeignError, match="has"):
        detection.unpack(archive, "catalogue.zip", tmp_path, PAGES)


def test_a_zip_with_64_bits_is_asked_for_its_list_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        for number in range(3):
            packed.writestr(f"Nala/{number}.jpg", photograph(seed=number))
    assert b"PK\x06\x06" in target.getvalue()
    few = replace(PAGES, directory_bytes=100)
    with pytest.raises(ForeignError, match="has"):
        detection.unpack(target, "catalogue.zip", tmp_path / "a", few)
    detection.unpack(target, "catalogue.zip", tmp_path / "b", PAGES)


def test_reading_ends_after_its_time(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("path,identity\n" + "a.jpg,Nala\n" * 5000)
    with pytest.raises(ForeignError, match="takes longer than 0 s"):
        plan(tmp_path, species="lion", limits=replace(PAGES, seconds=0.0))


def test_room_is_held_before_anything_is_read(ledger_url: str) -> None:
    register = ImportRegister(Store(ledger_url, 5.0))
    importer = Importer(register, KafkaSettings(), threading.Event())
    with ExitStack() as stack:
        for _ in range(MOST_HELD):
            stack.enter_context(importer.room())
        with pytest.raises(BusyError), importer.room():
            pass
    with importer.room():  # what was not taken is free again
        pass
