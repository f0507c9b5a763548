"""Folders of photographs as cameras, cards and computers write them."""

import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

# Folders that cameras create (DCF): DCIM with 100MEDIA, 101EK113, 100_BTCF and the like; the same
# on every card.
_CAMERAS_OWN = re.compile(r"DCIM|\d{3}[A-Z0-9_]{5}|PRIVATE|MISC", re.IGNORECASE)

# System folders of computers and storage devices; hidden ones begin with a dot.
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

# Maximum length of a deployment's name.
_MAX_NAME = 200


def walk(
    source: Path, refused: Callable[[Path, str], None], left: Callable[[Path, int], None]
) -> Iterator[Path]:
    """Yield the files below a folder, by name, without system files.

    `refused` is called with unreadable folders, `left` with skipped ones and their number of files.
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
    """Return whether a file or folder is hidden or belongs to the system."""
    folded = name.casefold()
    return name.startswith(".") or folded in _SYSTEMS_OWN or folded in _SYSTEM_FILES


def deployment(source: Path, picture: Path) -> str:
    """Return the deployment of a picture below `source`: the folders that people made.

    That is the path below the source without DCIM and the camera's folders; if nothing is left, the
    nearest named folder from the source upwards.
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
    """Return whether a relative path contains folders made by a camera."""
    return any(_CAMERAS_OWN.fullmatch(part) for part in picture.parts[:-1])


class Finder:
    """Finds the files that a table names.

    Tables come from Windows (backslashes, any case) and macOS (decomposed Unicode).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, list[Path]] | None = None

    def find(self, written: str) -> Path:
        """Return the file; if not found, the path as written."""
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
    """Return a name as valid UTF-8; other bytes are escaped."""
    text = os.fsencode(name).decode(errors="backslashreplace")
    plain = "".join(each if each.isprintable() else "?" for each in text)
    return plain[-_MAX_NAME:]
