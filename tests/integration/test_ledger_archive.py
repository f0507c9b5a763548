"""A ledger goes into a file and comes back the same."""

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from resight.main import app
from services.registry.archive import ArchiveError, archived, restored
from services.registry.audit import check
from services.registry.ledger import Ledger
from shared.messages import Place
from tests.integration.test_operator import decide, operator
from tests.queries import GALLERY, ledger_at

RUN = CliRunner()


def story(ledger: Ledger) -> None:
    decide(ledger, "a")
    decide(ledger, "b", alike="a")
    decide(ledger, "c")
    operator(ledger).same("1", "a", "c")
    operator(ledger).unidentifiable("2", ["b"])
    ledger.keep_place("image of a", Place(latitude=1.5, longitude=36.0))


def told(ledger: Ledger) -> list[str]:
    """Return all that an archive of a ledger would hold, in a fixed order."""
    return sorted(archived(ledger.store))


def test_what_was_exported_comes_back_and_is_published_again(
    ledger_url: str, tmp_path: Path
) -> None:
    ledger = ledger_at(ledger_url)
    story(ledger)
    before, file = told(ledger), tmp_path / "ledger.gz"
    entries = [entry.messages() for entry in ledger.entries(GALLERY)]
    exported = RUN.invoke(app, ["ledger", "export", str(file), "--ledger-url", ledger_url])
    assert exported.exit_code == 0, exported.output
    assert "5 entries" in exported.stdout
    ledger.store.run("FLUSHALL")
    imported = RUN.invoke(app, ["ledger", "import", str(file), "--ledger-url", ledger_url])
    assert imported.exit_code == 0, imported.output
    assert f"{GALLERY}: 5 entries" in imported.stdout
    fresh = ledger_at(ledger_url)
    assert told(fresh) == before
    assert check(fresh, GALLERY) == []
    assert [entry.messages() for chunk in fresh.outbox(GALLERY) for entry in chunk] == entries
    decide(fresh, "d", alike="a")
    operator(fresh).undo("3", 5)
    assert check(fresh, GALLERY) == []


def test_nothing_is_imported_over_a_gallery_that_is_there(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    story(ledger)
    lines = list(archived(ledger.store))
    with pytest.raises(ArchiveError, match=f"gallery {GALLERY} is in this ledger already"):
        list(restored(ledger.store, lines))


def test_what_is_no_ledger_s_file_is_refused(ledger_url: str, tmp_path: Path) -> None:
    store = ledger_at(ledger_url).store
    for lines in ([], ["hello"], ['{"ledger": 99}'], ["[1]"]):
        with pytest.raises(ArchiveError, match="no ledger's file"):
            list(restored(store, lines))
    with pytest.raises(ArchiveError, match="damaged"):
        list(restored(store, [json.dumps({"ledger": 1}), '{"gallery": "default/x"}']))
    plain = tmp_path / "plain"
    plain.write_text("hello")
    cut = tmp_path / "cut"
    cut.write_bytes(gzip.compress(b'{"ledger": 1}\n' * 50)[:-6])
    for file in (plain, cut):
        refused = RUN.invoke(app, ["ledger", "import", str(file), "--ledger-url", ledger_url])
        assert refused.exit_code == 1
        assert "damaged" in refused.stderr
