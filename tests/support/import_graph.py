"""Imports between the rooms of this project: `python -m tests.support.import_graph` draws them.

A room is a folder. Inside a folder its subfolders and its loose modules are boxes, and an import
between two files is an arrow between the boxes that hold them.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
# From the top down: each imports only what is further down.
DOWNHILL = ("deploy", "resight", "recognition", "embedded", "services", "catalogue", "shared")
PAGE = ROOT / "docs" / "development.md"
BEGIN, END = "<!-- graph begins: make graph -->", "<!-- graph ends -->"

Arrows = Mapping[str, frozenset[str]]


@cache
def modules() -> Mapping[str, frozenset[str]]:
    """Return each module's name and the names it imports, wherever in the module it does."""
    found = {}
    for room in DOWNHILL:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = frozenset(_imports(ast.parse(path.read_text())))
    return found


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports name the whole path"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def files() -> Mapping[str, frozenset[str]]:
    """Return each module and the modules of this project that it imports."""
    names = modules()
    return {
        name: frozenset(_module(each, names) for each in imported) - {"", name}
        for name, imported in names.items()
    }


def _module(imported: str, names: Mapping[str, object]) -> str:
    """Return the module that an imported name is, or lies in; '' for a foreign one."""
    for each in (imported, imported.rpartition(".")[0]):
        if each in names:
            return each
    return ""


def folders() -> list[str]:
    """Return all folders of modules, as dotted names."""
    names = modules()
    return sorted({name.rpartition(".")[0] for name in names} - {""} | set(DOWNHILL))


def boxes(folder: str) -> Arrows:
    """Return the arrows between the boxes of a folder."""
    arrows: dict[str, set[str]] = defaultdict(set)
    for name, imported in files().items():
        if not (source := _box(name, folder)):
            continue
        arrows[source] |= {
            target for each in imported if (target := _box(each, folder)) and target != source
        }
    return {box: frozenset(targets) for box, targets in arrows.items()}


def _box(name: str, folder: str) -> str:
    """Return the box of a folder that holds a module; '' where none does."""
    if not name.startswith(f"{folder}."):
        return ""
    return name.removeprefix(f"{folder}.").partition(".")[0]


def circles(arrows: Arrows) -> list[list[str]]:
    """Return a path around each circle that a walk from some box comes to."""
    found: list[list[str]] = []
    done: set[str] = set()

    def walk(box: str, path: list[str]) -> None:
        if box in path:
            found.append([*path[path.index(box) :], box])
            return
        if box in done:
            return
        for target in sorted(arrows.get(box, ())):
            walk(target, [*path, box])
        done.add(box)

    for box in sorted(arrows):
        walk(box, [])
    return found


def drawn() -> str:
    """Return the rooms as Mermaid charts, without the arrows that a longer path implies."""
    charts = [("The whole project", {room: _below(room) for room in DOWNHILL})]
    for folder in ("shared", "catalogue", "services.matcher", "services.registry", "recognition"):
        inner = boxes(folder)
        rooms = {box for box in inner if f"{folder}.{box}" in folders()}
        charts.append((folder, {box: inner[box] & rooms for box in rooms}))
    parts = []
    for title, arrows in charts:
        lines = [f"    {a} --> {b}" for a, b in sorted(_essential(arrows))]
        alone = [f"    {box}" for box in sorted(arrows) if not _touched(box, arrows)]
        parts.append(
            "\n".join([f"**{title}**", "", "```mermaid", "flowchart TD", *lines, *alone, "```"])
        )
    return "\n\n".join(parts)


def _below(room: str) -> frozenset[str]:
    return frozenset(
        target.partition(".")[0]
        for name, imported in files().items()
        if name.partition(".")[0] == room
        for target in imported
    ) - {room}


def _touched(box: str, arrows: Arrows) -> bool:
    return bool(arrows[box]) or any(box in targets for targets in arrows.values())


def _essential(arrows: Arrows) -> Iterator[tuple[str, str]]:
    for box, targets in arrows.items():
        for target in targets:
            if not any(target in _reachable(other, arrows) for other in targets - {target}):
                yield box, target


def _reachable(box: str, arrows: Arrows) -> set[str]:
    found: set[str] = set()
    waiting = list(arrows.get(box, ()))
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += arrows.get(each, ())
    return found


def page(text: str) -> str:
    """Return the developers' page with the charts of now."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{drawn()}\n\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
