"""Every command in the README and the docs works as it stands after `make demo`."""

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from recognition.synthetic.dataset import draw
from resight.main import app
from resight.stack_state import running
from tests.support.servers.embedded_stack import with_encoder
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ENVIRONMENT = (ROOT / ".env.example").read_text()
RESIGHT = ".venv/bin/resight"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
SECONDS = 240


def _commands(page: Path) -> Iterator[str]:
    for block in BLOCK.findall(page.read_text()):
        for line in block.splitlines():
            if line.startswith("$ "):
                yield line.removeprefix("$ ").partition("  #")[0].partition(" # ")[0].strip()


EVERY = [(page.name, command) for page in PAGES for command in _commands(page)]


@pytest.mark.parametrize(("page", "command"), EVERY, ids=lambda each: each[:60])
def test_a_command_is_one_that_there_is(page: str, command: str) -> None:
    words = shlex.split(command)
    settings = list(takewhile(lambda word: re.match(r"[A-Z_]+=", word), words))
    for name, _, value in (each.partition("=") for each in settings):
        assert re.search(rf"^#? ?{name}=", ENVIRONMENT, re.MULTILINE), f"{page}: {name}={value}"
    program, *arguments = words[len(settings) :]
    if program == "make":
        assert re.search(rf"^{arguments[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), page
        return
    if program == ".venv/bin/python":
        assert arguments[0] == "-m", page
        assert (ROOT / f"{arguments[1].replace('.', '/')}.py").is_file(), page
        return
    if program in {"docker", "kubectl"}:  # of a cluster's operator: what it names is there
        named = re.findall(r"deploy/[\w./-]+", command)
        assert all((ROOT / path).exists() for path in named), command
        return
    assert program == RESIGHT, f"{page}: {command} is not there after `make demo`"
    found: Any = typer.main.get_command(app)
    while isinstance(found, TyperGroup):
        _, found, arguments = found.resolve_command(found.make_context(None, arguments), arguments)
    found.make_context(None, arguments)  # raises where an option is unknown or a value is none


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, encoder_file: Path) -> Path:
    """A folder as `make demo` leaves it, with fewer animals."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / ".venv").symlink_to(sys.prefix)
    draw(folder / "out" / "demo" / "drawn-24-0", individuals=14, sightings=3.0, seed=0)
    with_encoder(folder / ".resight", encoder_file)
    return folder


def _readme(*names: str) -> list[str]:
    """Return the README's commands of these names, in order."""
    found = [command for page, command in EVERY if page == "README.md"]
    return [each for each in found if each.split()[0] == RESIGHT and each.split()[1] in names]


def _run(command: str, place: Path) -> None:
    done = subprocess.run(
        shlex.split(command),
        cwd=place,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """A shell that runs the tests in its background has them ignore Ctrl-C; children inherit it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


# Several long commands, each with its own limit.
@pytest.mark.timeout(4 * SECONDS)
@pytest.mark.usefixtures("_interruptible")
def test_the_readme_s_commands_with_a_broker_work(place: Path) -> None:
    (up,) = _readme("up")
    (watch,) = _readme("watch")
    with (
        (place / "up.log").open("wb") as log,
        subprocess.Popen(shlex.split(up), cwd=place, stdout=log, stderr=log) as stack,
    ):
        try:
            wait_until(
                lambda: running(place / ".resight") is not None or stack.poll() is not None,
                SECONDS,
                told=(place / "up.log").read_text,
            )
            for command in _readme("publish", "status", "galleries", "individuals", "dead-letters"):
                _run(command, place)
            _watch(watch, place)
            (export,) = (each for each in _readme("ledger") if "export" in each)
            _run(export, place)
            stack.send_signal(signal.SIGINT)
            assert stack.wait(SECONDS) == 0
        finally:
            stack.kill()


def _watch(command: str, place: Path) -> None:
    with subprocess.Popen(
        shlex.split(command), cwd=place, stdout=subprocess.PIPE, text=True
    ) as seen:
        assert seen.stdout is not None
        assert "individual" in seen.stdout.readline()
        assert "drawn-" in seen.stdout.readline()
        seen.send_signal(signal.SIGINT)
        seen.wait(SECONDS)


@pytest.mark.timeout(4 * SECONDS)
def test_the_readme_s_commands_on_labelled_pictures_work(place: Path) -> None:
    for command in _readme("export", "evaluate", "calibrate", "replay", "adapt", "train"):
        _run(command, place)
