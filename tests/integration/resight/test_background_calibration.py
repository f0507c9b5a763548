"""What a calibration promises after an import is told to the import, whatever ends meanwhile."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resight import background_calibration
from resight.background_calibration import CalibrationFitter
from services.registry.imports.register import FITTING, ImportRegister, State
from tests.support.queries import ledger_at
from tests.support.waiting import wait_until

SUMMARY = {
    "curves": {
        "pooled": {
            "known": 0.9,
            "new": 0.1,
            "guarantee": {
                "false_known_at_most": 0.015,
                "confidence": 0.95,
                "individuals": 200,
                "species": ["lion"],
            },
        }
    },
    "clustering": None,
    "without_own_guarantee": {},
}
WRITE = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2]); "
FITS = f"{WRITE} print('a word')"
FAILS = f"{WRITE} sys.exit('error: a word')"
WAITS = "import time; time.sleep(60)"


@pytest.fixture
def register(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> ImportRegister:
    """Two imports that are done, and others."""
    monkeypatch.setattr(background_calibration, "LOOK_SECONDS", 0.0)
    register = ImportRegister(ledger_at(ledger_url).store)
    states: dict[str, State] = {"one": "done", "two": "done", "failed": "failed", "none": "done"}
    for name, state in states.items():
        begun = register.begin(name, "ada", "lions.zip")
        register.keep(replace(begun, state=state, enrolled=0 if name == "none" else 4))
    return register


def fitter(register: ImportRegister, folder: Path, code: str) -> CalibrationFitter:
    told: Any = {"error": "label more individuals"} if code == FAILS else SUMMARY
    command = [sys.executable, "-c", code, str(folder / background_calibration.SUMMARY)]
    return CalibrationFitter(register, folder, folder / "model", [*command, json.dumps(told)])


def told(register: ImportRegister, name: str) -> str:
    found = register.get(name)
    assert found is not None
    return found.calibration


def over(register: ImportRegister, fits: CalibrationFitter) -> bool:
    fits.tick()
    return told(register, "one") not in {"", FITTING}


def test_imports_are_told_what_may_be_expected(register: ImportRegister, tmp_path: Path) -> None:
    fits = fitter(register, tmp_path, FITS)
    fits.tick()
    assert told(register, "one") == FITTING
    wait_until(lambda: over(register, fits))
    for name in ("one", "two"):
        assert "at most 0.015 of new animals are called known" in told(register, name)
        assert f"--calibration {tmp_path / 'calibration.json'}" in told(register, name)
    assert (told(register, "failed"), told(register, "none")) == ("", "")


def test_a_later_import_is_told_too(register: ImportRegister, tmp_path: Path) -> None:
    fits = fitter(register, tmp_path, FITS)
    wait_until(lambda: over(register, fits))
    begun = register.begin("later", "ada", "lions.zip")
    register.keep(replace(begun, state="done", enrolled=4))

    def told_later() -> bool:
        fits.tick()
        return "at most 0.015" in told(register, "later")

    wait_until(told_later)


def test_or_why_it_can_not_be_had_yet(register: ImportRegister, tmp_path: Path) -> None:
    fits = fitter(register, tmp_path, FAILS)
    wait_until(lambda: over(register, fits))
    assert told(register, "one").endswith("Not calibrated separately yet: label more individuals")


def test_a_command_that_says_nothing_is_told_with_its_log(
    register: ImportRegister, tmp_path: Path
) -> None:
    fits = fitter(register, tmp_path, "import sys; sys.exit(3)")
    wait_until(lambda: over(register, fits))
    assert "ended with status 3; see" in told(register, "one")


def test_a_fit_that_ended_with_its_stack_begins_anew_with_the_next(
    register: ImportRegister, tmp_path: Path
) -> None:
    ended = fitter(register, tmp_path, WAITS)
    ended.tick()
    ended.stop()
    assert told(register, "one") == FITTING
    fits = fitter(register, tmp_path, FITS)
    wait_until(lambda: over(register, fits))
    assert "at most 0.015" in told(register, "one")
