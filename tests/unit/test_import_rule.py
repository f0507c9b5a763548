"""Imports run downhill, services don't know each other, and PyTorch stays where it is needed."""

import pytest

from tests.support.import_graph import (
    BEGIN,
    DOWNHILL,
    PAGE,
    ROOT,
    boxes,
    circles,
    folders,
    modules,
    page,
)

WITHOUT_TORCH = (
    "shared",
    "catalogue",
    "services.lookup",
    "services.registry",
)
# Services that find keypoints import these.
WITH_TORCH = (
    "shared.keypoints.build",
    "shared.keypoints.extractors",
    "shared.keypoints.torchvision_shim",
    "shared.keypoints.weights",
)
TORCH = ("torch", "torchvision", "timm", "kornia")
MOST_FILES, MOST_RECOGNITION_ROOMS = 15, 9


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_the_walk_finds_the_modules_of_every_room() -> None:
    assert {name.split(".")[0] for name in modules()} == set(DOWNHILL)


def test_nothing_imports_uphill() -> None:
    faults = [
        f"{name} imports {imported}"
        for name, imports in modules().items()
        for imported in imports
        for above in DOWNHILL[: DOWNHILL.index(name.split(".")[0])]
        if _within(imported, above)
    ]
    assert faults == []


def test_no_service_imports_another() -> None:
    faults = [
        f"{name} imports {imported}"
        for name, imports in modules().items()
        for imported in imports
        if name.startswith("services.")
        and imported.startswith("services.")
        and imported.split(".")[1] != name.split(".")[1]
    ]
    assert faults == []


def test_services_that_find_no_keypoints_need_no_pytorch() -> None:
    faults = [
        f"{name} imports {imported}"
        for name, imports in modules().items()
        for imported in imports
        if any(_within(name, package) for package in WITHOUT_TORCH)
        and not any(_within(name, module) for module in WITH_TORCH)
        and imported.split(".")[0] in TORCH
    ]
    assert faults == []


@pytest.mark.parametrize("folder", folders())
def test_no_folder_has_a_circle(folder: str) -> None:
    assert circles(boxes(folder)) == []


def test_a_circle_is_found() -> None:
    arrows = {"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"a"}), "d": frozenset()}
    assert circles(arrows) == [["a", "b", "c", "a"]]


TEST_FOLDERS = sorted(
    {str(path.parent.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py")}
)


@pytest.mark.parametrize("folder", [*folders(), *TEST_FOLDERS])
def test_no_folder_has_more_files_than_one_sees_at_a_glance(folder: str) -> None:
    found = {path.name for path in (ROOT / folder.replace(".", "/")).glob("*.py")}
    assert len(found - {"__init__.py"}) <= MOST_FILES


def test_recognition_has_at_most_nine_rooms() -> None:
    rooms = [path for path in (ROOT / "recognition").iterdir() if (path / "__init__.py").exists()]
    assert len(rooms) <= MOST_RECOGNITION_ROOMS


def test_the_developers_page_draws_the_rooms_of_now() -> None:
    text = PAGE.read_text()
    assert BEGIN in text
    assert page(text) == text, "run `make graph`"
