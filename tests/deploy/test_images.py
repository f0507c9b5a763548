"""The Dockerfile's images: one for each service, small, pinned, and not root's.

No engine builds them here; what their build stages run was run by hand (docs/guarantees.md).
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.deploy.rendered import SERVICES

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"[\w./-]+:v?\d+(\.\d+)+[\w.-]*")
IMAGES = (*SERVICES, "matcher-gpu")


@dataclass
class Stage:
    """One FROM with its instructions."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)


def _stages() -> dict[str, Stage]:
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    defaults: dict[str, str] = {}
    stages: dict[str, Stage] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            base = re.sub(r"\$\{(\w+)\}", lambda found: defaults[found[1]], base)
            latest = stages[name] = Stage(name, base)
        elif not stages:
            name, _, value = rest.partition("=")
            defaults[name] = value
        else:
            latest.instructions.append((instruction, rest))
    return stages


STAGES = _stages()


def _above(name: str) -> Iterator[Stage]:
    """Yield a stage and those it is made from."""
    while name in STAGES:
        yield STAGES[name]
        name = STAGES[name].base


def _said(name: str, instruction: str) -> list[str]:
    return [
        rest for stage in _above(name) for said, rest in stage.instructions if said == instruction
    ]


@pytest.mark.parametrize("image", IMAGES)
def test_each_service_has_an_image_that_runs_it(image: str) -> None:
    service = image.removesuffix("-gpu")
    (command,) = _said(image, "CMD")
    assert command == f'["python", "-P", "-m", "services.{service}.main"]'
    (copied,) = [each for each in _said(image, "COPY") if each.startswith("--from=")]
    assert copied == f"--from=build-{image} /venv /venv"
    installed = " ".join(STAGES[f"build-{image}"].instructions[0][1].split())
    assert f"install.sh packages {service}" in installed


@pytest.mark.parametrize("image", [*IMAGES, "models", "tools"])
def test_no_image_runs_as_root(image: str) -> None:
    assert _said(image, "USER")[0] == "10001"


def test_torch_is_where_it_is_needed() -> None:
    with_torch = {
        stage.name
        for stage in STAGES.values()
        if any("install.sh torch" in rest for _, rest in stage.instructions)
    }
    assert with_torch == {"build-embedder", "build-matcher", "build-tools"}
    assert any("install.sh gpu" in rest for _, rest in STAGES["build-matcher-gpu"].instructions)


def test_what_comes_from_elsewhere_is_pinned() -> None:
    for stage in STAGES.values():
        assert stage.base in STAGES or PINNED.fullmatch(stage.base), stage.base


def test_what_is_copied_is_there_and_let_in() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    for stage in STAGES.values():
        for instruction, rest in stage.instructions:
            words = [word for word in shlex.split(rest) if not word.startswith("--")]
            if instruction != "COPY" or "--from=" in rest:
                continue
            for source in words[:-1]:
                assert (ROOT / source).exists(), source
                assert source in let_in, f"{source} is not let in by .dockerignore"


def test_files_that_are_installed_are_listed() -> None:
    listed = (ROOT / "requirements" / "files-only.txt").read_text()
    for stage in STAGES.values():
        for _, rest in stage.instructions:
            for beginnings in re.findall(r"install\.sh files ([^&]+)", rest):
                for beginning in beginnings.split():
                    assert re.search(rf"^{beginning}.*==", listed, re.MULTILINE), beginning
