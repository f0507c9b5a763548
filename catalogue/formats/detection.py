"""Detects the format of a catalogue from its contents."""

import shutil
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from catalogue.formats import camtrap_dp, coco, folders, wildbook
from catalogue.reading import metadata_table, photographs
from catalogue.reading.catalogue import Catalogue
from catalogue.reading.limits import COMMAND, Limits
from catalogue.reading.listing import ForeignError, Listing

# RuntimeError: encrypted, or an unknown compression method.
_UNPACKABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError)


def read(
    source: Path, *, confined: bool = False, limits: Limits = COMMAND
) -> tuple[Listing, Catalogue]:
    """Return the rows and photographs of a file or folder.

    A folder with a datapackage.json is Camtrap DP; else its COCO file, Wildbook table or
    metadata.csv is read; else it has one folder per individual. `confined`: pictures outside the
    folder are skipped, because an untrusted catalogue may name files of this machine.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ForeignError: it can't be read.
    """
    if not source.exists():
        raise FileNotFoundError(f"{source} does not exist")
    limits = limits.begin()
    listing, folder = _listing(source, limits)
    found = photographs.listed(folder, listing.rows, confined=confined, limits=limits)
    return listing, found


def _listing(source: Path, limits: Limits) -> tuple[Listing, Path]:
    folder = source if source.is_dir() else source.parent
    files: Iterable[Path] = sorted(source.iterdir()) if source.is_dir() else [source]
    if source.is_dir() and camtrap_dp.is_package(source):
        return camtrap_dp.read(source, limits), folder
    if source.name == camtrap_dp.DESCRIPTOR:
        return camtrap_dp.read(folder, limits), folder
    for path in (each for each in files if each.is_file()):
        if (told := coco.parsed(path, limits)) is not None:
            return coco.read(path, told), folder
        if wildbook.is_wildbook(path):
            return wildbook.read(path, limits), folder
        if path.name == photographs.METADATA or source.is_file():
            return _table(path, limits), folder
    return folders.read(source), folder


def _table(path: Path, limits: Limits) -> Listing:
    try:
        table = metadata_table.read(path, limits)
    except ForeignError:
        raise
    except ValueError as error:
        raise ForeignError(
            f"{path} is not COCO, Camtrap DP, a Wildbook table or a metadata.csv: {error}"
        ) from error
    return Listing("metadata.csv", table.rows, (), table.notes)


def unpack(archive: BinaryIO, name: str, target: Path, limits: Limits = COMMAND) -> Path:
    """Unpack a ZIP of this name, and return the folder that holds its catalogue.

    Raises:
        ForeignError: it is damaged or encrypted, lists too many files, or unpacks to more bytes
            than there may be or are free.
    """
    try:
        limits.check_directory(archive, name)
        with zipfile.ZipFile(archive) as packed:
            size = sum(each.file_size for each in packed.infolist())
            if size > limits.unpacked_bytes:
                raise ForeignError(
                    f"{name} unpacks to {size / 1024**3:.1f} GiB, and "
                    f"{limits.unpacked_bytes / 1024**3:.1f} is the limit; import it in parts"
                )
            target.mkdir(parents=True, exist_ok=True)
            if size > (free := shutil.disk_usage(target).free):
                raise ForeignError(f"{name} unpacks to {size} bytes, and {free} are free")
            packed.extractall(target)  # Python removes '..' and roots
    except _UNPACKABLE as error:
        raise ForeignError(f"{name} is not a valid ZIP: {error}") from error
    inside = [each for each in target.iterdir() if each.name != "__MACOSX"]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else target
