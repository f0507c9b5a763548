"""Imports run downhill, services don't know each other, and PyTorch stays where it is needed."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOWNHILL = ("deploy", "resight", "recognition", "embedded", "services", "catalogue", "shared")
WITHOUT_TORCH = (
    "shared",
    "catalogue",
    "services.embedder",
    "services.lookup",
    "services.registry",
)
TORCH = ("torch", "torchvision", "timm", "kornia")


def _modules() -> Iterator[tuple[str, set[str]]]:
    """Yield each module's name and the names it imports, wherever in the module it does."""
    for room in DOWNHILL:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, set(_imports(ast.parse(path.read_text())))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports name the whole path"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_the_walk_finds_the_modules_of_every_room() -> None:
    rooms = {name.split(".")[0] for name, _ in _modules()}
    assert rooms == set(DOWNHILL)


def test_nothing_imports_uphill() -> None:
    faults = [
        f"{name} imports {imported}"
        for name, imports in _modules()
        for imported in imports
        for above in DOWNHILL[: DOWNHILL.index(name.split(".")[0])]
        if _within(imported, above)
    ]
    assert faults == []


def test_no_service_imports_another() -> None:
    faults = [
        f"{name} imports {imported}"
        for name, imports in _modules()
        for imported in imports
        if name.startswith("services.")
        and imported.startswith("services.")
        and imported.split(".")[1] != name.split(".")[1]
    ]
    assert faults == []


def test_only_the_matcher_among_the_services_needs_pytorch() -> None:
    faults = [
        f"{name} imports {imported}"
        for name, imports in _modules()
        for imported in imports
        if any(_within(name, package) for package in WITHOUT_TORCH)
        and imported.split(".")[0] in TORCH
    ]
    assert faults == []
