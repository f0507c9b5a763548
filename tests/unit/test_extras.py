"""A service's image installs only its own extra, so that must hold everything it imports."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from shared.keypoints.extractors import EXTRACTORS

ROOT = Path(__file__).parents[2]
OURS = {"services", "shared"}
PROVIDED_BY = packages_distributions()
LOADED_BY_NAME = [f"shared.keypoints.extractors.{name}" for name in EXTRACTORS.values()]
FIND_KEYPOINTS = ("embedder", "matcher")


def _module_file(name: str) -> Path | None:
    path = ROOT.joinpath(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _foreign(start: str) -> set[str]:
    """Return the top-level foreign packages that a module of ours needs, however indirectly."""
    seen: set[Path] = set()
    foreign: set[str] = set()
    finds_keypoints = start.split(".")[1] in FIND_KEYPOINTS
    waiting = [start, *(LOADED_BY_NAME if finds_keypoints else ())]
    while waiting:
        name = waiting.pop()
        if name.split(".")[0] not in OURS:
            foreign.add(name.split(".")[0])
        elif (file := _module_file(name)) and file not in seen:
            seen.add(file)
            waiting += _imports(file)
    return foreign - set(sys.stdlib_module_names)


@cache
def _declared(extra: str) -> frozenset[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needs = [*project["dependencies"], *project["optional-dependencies"][extra]]
    return frozenset(_normal(re.split(r"[\[<>=~! ]", need)[0]) for need in needs)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("service", ["embedder", "lookup", "matcher", "registry"])
def test_a_service_imports_nothing_beyond_its_extra(service: str) -> None:
    for package in sorted(_foreign(f"services.{service}.main")):
        providers = {_normal(name) for name in PROVIDED_BY[package]}
        assert providers & _declared(service), f"{package} ({', '.join(sorted(providers))})"


@pytest.mark.parametrize("service", ["embedder", "lookup", "matcher", "registry"])
def test_only_those_that_find_keypoints_need_torch(service: str) -> None:
    needs = "torch" in _foreign(f"services.{service}.main")
    assert needs == (service in FIND_KEYPOINTS)
