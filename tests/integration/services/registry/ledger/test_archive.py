"""A ledger goes into a file and comes back the same."""

import gzip
import json
import time
from base64 import b64encode
from pathlib import Path

import pytest
from google.protobuf.message import Message
from typer.testing import CliRunner

from resight.main import app
from services.registry.alerts.outbox import AlertOutbox
from services.registry.alerts.rule import RuleSpec
from services.registry.api.access.audit_log import AuditLog
from services.registry.api.access.keys import Access
from services.registry.imports.register import KEPT_SECONDS, ImportRegister
from services.registry.ledger.archive import ArchiveError, archived, emptied, restored
from services.registry.ledger.audit import check
from services.registry.ledger.epoch import EPOCH, new_epoch
from services.registry.ledger.keys import NAMES, key
from services.registry.ledger.ledger import Ledger
from services.registry.locations.species_rules import SpeciesRules
from services.registry.review.skipped_questions import SkippedQuestions
from shared.messages import Place
from tests.integration.services.registry.review.test_reviewer import decide, reviewer
from tests.support.queries import GALLERY, ledger_at

RUN = CliRunner()


def story(ledger: Ledger) -> None:
    decide(ledger, "a")
    decide(ledger, "b", alike="a")
    decide(ledger, "c")
    reviewer(ledger).same("1", "a", "c")
    reviewer(ledger).unidentifiable("2", ["b"])
    ledger.keep_place("image of a", Place(latitude=1.5, longitude=36.0), "gate")


def told(ledger: Ledger) -> list[str]:
    """Return all that an archive of a ledger would hold, but for its epoch and who made it."""
    changes = (":counters", "resight:audit", "resight:keyed")
    lines = [line for line in archived(ledger.store) if not any(each in line for each in changes)]
    return sorted(lines[1:])


def entries(ledger: Ledger) -> list[Message]:
    """Return all that the ledger publishes, without its epoch."""
    messages = [item for entry in ledger.entries(GALLERY) for item in entry.messages()]
    for message in messages:
        message.ClearField("epoch")
    return messages


def test_what_was_exported_comes_back_and_is_published_again(
    ledger_url: str, tmp_path: Path
) -> None:
    ledger = ledger_at(ledger_url)
    story(ledger)
    before, file = told(ledger), tmp_path / "ledger.gz"
    published, epoch = entries(ledger), ledger.epoch(GALLERY)
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
    assert entries(fresh) == published
    assert sum(len(chunk) for chunk in fresh.outbox(GALLERY)) == 5
    assert fresh.epoch(GALLERY) > epoch
    decide(fresh, "d", alike="a")
    reviewer(fresh).undo("3", 5)
    assert check(fresh, GALLERY) == []


def test_nothing_is_imported_over_a_gallery_that_is_there(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    story(ledger)
    lines = list(archived(ledger.store))
    with pytest.raises(ArchiveError, match=f"gallery {GALLERY} is in this ledger already"):
        list(restored(ledger.store, lines))


def test_keys_rules_and_what_was_put_aside_come_back_too(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    store = ledger.store
    story(ledger)
    access, skipped_questions, alerts = Access(store), SkippedQuestions(store), AlertOutbox(store)
    key = access.add("ada", "admin")
    session = access.sign_in(access.made()[0], 3600)
    skipped_questions.put(GALLERY, "a", "c", "ada")
    rule = alerts.add(RuleSpec("r", GALLERY, "new", "", "https://hook.example"), "ada", 0)
    SpeciesRules(store).say("lion", "ada", 10)
    AuditLog(store).note("export", "ada")
    register = ImportRegister(store)
    register.begin("1", "ada", "lions.zip")
    lines, before = list(archived(store)), told(ledger)
    store.run("FLUSHALL")
    assert list(restored(store, lines)) == [GALLERY]
    assert told(ledger_at(ledger_url)) == before
    assert access.holder(key) is not None
    assert access.signed_in(session, 3600) is None  # a browser signs in again
    assert skipped_questions.those(GALLERY) == {"a c"}
    assert alerts.rules() == [rule]
    assert SpeciesRules(store).all()["lion"].kilometres == 10
    assert [each.act for each in AuditLog(store).latest()] == ["export"]
    found = register.get("1")
    assert found is not None
    assert found.file == "lions.zip"
    assert 0 < store.run("TTL", "resight:import:1") <= KEPT_SECONDS


def test_a_restore_takes_the_place_of_the_ledger_that_is_there(
    ledger_url: str, tmp_path: Path
) -> None:
    ledger, file = ledger_at(ledger_url), tmp_path / "ledger.gz"
    at = ["--ledger-url", ledger_url]
    decide(ledger, "a")
    before = told(ledger)
    RUN.invoke(app, ["ledger", "export", str(file), *at])
    decide(ledger, "b")
    Access(ledger.store).add("eve", "admin")
    refused = RUN.invoke(app, ["ledger", "import", str(file), *at])
    assert refused.exit_code == 1
    assert "--replace" in refused.stderr
    assert RUN.invoke(app, ["ledger", "import", "--replace", str(file), *at]).exit_code == 0
    fresh = ledger_at(ledger_url)
    assert told(fresh) == before
    # The file is from before the first key, and nobody gets in without one all the same.
    assert Access(fresh.store).any()
    assert Access(fresh.store).made() == []


def test_a_restore_begins_a_later_epoch_than_the_ledger_had_that_it_replaces(
    ledger_url: str,
) -> None:
    ledger = ledger_at(ledger_url)
    story(ledger)
    lines = list(archived(ledger.store))
    ahead = new_epoch(now=time.time() + 86_400)  # its clock was wrong
    ledger.store.run("SET", EPOCH, ahead)
    emptied(ledger.store)
    list(restored(ledger.store, lines))
    assert ledger_at(ledger_url).epoch(GALLERY) > ahead


def test_a_file_of_version_1_still_comes_in(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    story(ledger)
    before = entries(ledger)
    lines = [json.dumps({"ledger": 1})]
    for name in set(NAMES) - {"outbox", "proofs", "lease", "deployments"}:
        kept = ledger.store.run("HGETALL", key(GALLERY, name))
        if name == "groups":  # which were lines of a text
            kept = {
                individual.encode(): "".join(f"{each}\n" for each in sightings).encode()
                for individual, sightings in ledger.individuals(GALLERY).items()
            }
        for field, value in kept.items():
            if field in {b"epoch", b"form"}:
                continue
            parts = {"field": b64encode(field).decode(), "value": b64encode(value).decode()}
            lines.append(json.dumps({"gallery": GALLERY, "key": name, **parts}))
    with pytest.raises(ArchiveError, match="already"):
        list(restored(ledger.store, lines))
    ledger.store.run("FLUSHALL")
    assert list(restored(ledger.store, lines)) == [GALLERY]
    fresh = ledger_at(ledger_url)
    assert entries(fresh) == before
    assert check(fresh, GALLERY) == []


def test_an_import_that_was_interrupted_is_repeated(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    story(ledger)
    lines, before = list(archived(ledger.store)), told(ledger)
    ledger.store.run("FLUSHALL")
    with pytest.raises(ArchiveError, match="damaged"):
        list(restored(ledger.store, [*lines[:-1], "{"]))
    assert ledger.galleries() == []
    list(restored(ledger.store, lines))
    assert told(ledger_at(ledger_url)) == before


def test_what_is_no_ledger_s_file_is_refused(ledger_url: str, tmp_path: Path) -> None:
    store = ledger_at(ledger_url).store
    for lines in ([], ["hello"], ['{"ledger": 99}'], ["[1]"]):
        with pytest.raises(ArchiveError, match="not a ledger's file"):
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
