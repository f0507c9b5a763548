"""Photographs that a command's arguments name."""

from collections.abc import Sequence
from pathlib import Path

import typer

from catalogue.reading import photographs
from catalogue.reading.catalogue import Catalogue
from resight.console import note


def read_catalogue(sources: Sequence[Path]) -> Catalogue:
    """Return the photographs of some sources.

    Raises:
        typer.BadParameter: a source can't be read.
    """
    try:
        return photographs.read(sources)
    except (FileNotFoundError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error


def show_notes(found: Catalogue) -> None:
    """Print notes and skipped files."""
    for line in found.told():
        note(line)
