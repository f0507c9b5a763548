"""What a catalogue tells about notes and skipped files."""

from pathlib import Path

from catalogue.reading.catalogue import Catalogue, Skipped


def test_faults_are_told_before_other_skipped_files() -> None:
    notes_file = Skipped(Path("notes.txt"), "not a picture", fault=False)
    broken = Skipped(Path("a.jpg"), "truncated")
    assert list(Catalogue((), (notes_file, broken)).told()) == [
        "skipped a.jpg: truncated",
        "skipped notes.txt: not a picture",
    ]


def test_what_is_not_named_is_counted() -> None:
    skipped = tuple(Skipped(Path(f"{number}.jpg"), "empty") for number in range(12))
    lines = list(Catalogue((), skipped, notes=("a joined row",) * 13).told())
    assert lines[:11] == ["a joined row"] * 10 + ["and 3 more notes of this kind"]
    assert lines[-1] == "skipped 2 more files"
    assert len(lines) == 22
