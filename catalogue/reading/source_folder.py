"""A folder of photographs as cameras, cards and computers leave it."""

import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

# What cameras make on a card (DCF, the design rule for camera file systems): DCIM, and in it
# 100MEDIA, 101EK113, 100_BTCF and the like. The same names on every card.
_CAMERAS_OWN = re.compile(r"DCIM|\d{3}[A-Z0-9_]{5}|PRIVATE|MISC", re.IGNORECASE)

# What computers and storage boxes keep for themselves; hidden ones begin with a dot.
_SYSTEMS_OWN = frozenset(
    {
        "$recycle.bin",
        "@eadir",
        "__macosx",
        "found.000",
        "lost+found",
        "recycler",
        "system volume information",
    }
)
_SYSTEM_FILES = frozenset({"desktop.ini", "thumbs.db", "ehthumbs.db"})

# As long a name of a deployment as is taken.
_MAX_NAME = 200


def walk(
    source: Path, refused: Callable[[Path, str], None], left: Callable[[Path, int], None]
) -> Iterator[Path]:
    """Yield the files below a folder, by name, but for what belongs to the system.

    `refused` is told of folders that can't be read, `left` of those that were passed
    over and how many files are in them.
    """

    def unreadable(error: OSError) -> None:
        refused(Path(error.filename), f"can't be read: {error.strerror}")

    for name, folders, files in os.walk(source, onerror=unreadable):
        folder = Path(name)
        for own in sorted(each for each in folders if belongs_to_system(each)):
            left(folder / own, sum(len(below) for _, _, below in os.walk(folder / own)))
        folders[:] = sorted(each for each in folders if not belongs_to_system(each))
        hidden = [each for each in files if belongs_to_system(each)]
        if hidden:
            left(folder, len(hidden))
        yield from (folder / each for each in sorted(files) if each not in hidden)


def belongs_to_system(name: str) -> bool:
    """Return whether a file or folder of this name is hidden, a thumbnail store, or rubbish."""
    folded = name.casefold()
    return name.startswith(".") or folded in _SYSTEMS_OWN or folded in _SYSTEM_FILES


def deployment(source: Path, picture: Path) -> str:
    """Return what names the camera of a picture below `source`: the folders that people made.

    That is the path below the source without DCIM and the camera's own folders; where
    nothing is left, the nearest folder from the source upwards that has a name of its own.
    """
    below = picture.parent.relative_to(source).parts if picture.is_relative_to(source) else ()
    named = [part for part in below if not _CAMERAS_OWN.fullmatch(part)]
    if named:
        return _shown("/".join(named))
    above = source.resolve()
    if above.is_file():
        above = above.parent
    candidates = (part for part in (above, *above.parents) if part.name)
    return _shown(next((p.name for p in candidates if not _CAMERAS_OWN.fullmatch(p.name)), ""))


def on_card(picture: PurePath) -> bool:
    """Return whether a relative path goes through folders of a camera's making."""
    return any(_CAMERAS_OWN.fullmatch(part) for part in picture.parts[:-1])


class Finder:
    """Finds the files that a table names, however it writes them.

    Tables come from Windows (backslashes, any case) and from macOS (names in decomposed
    letters), files from anywhere.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, list[Path]] | None = None

    def find(self, written: str) -> Path:
        """Return the file; where there is none, the path as it was written."""
        literal = self._folder / written
        if literal.is_file():
            return literal
        if self._names is None:
            self._names = {}
            for path in walk(self._folder, lambda *_: None, lambda *_: None):
                self._names.setdefault(
                    _folded(path.relative_to(self._folder).as_posix()), []
                ).append(path)
        found = self._names.get(_folded(written.replace("\\", "/").removeprefix("./")), [])
        return found[0] if len(found) == 1 else literal


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _shown(name: str) -> str:
    """Return a name as it may stand in a message: bytes that are no UTF-8 are written out."""
    text = os.fsencode(name).decode(errors="backslashreplace")
    plain = "".join(each if each.isprintable() else "?" for each in text)
    return plain[-_MAX_NAME:]
