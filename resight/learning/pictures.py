"""Labelled pictures to learn from: folders, and a ledger's confident individuals."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from catalogue.reading.catalogue import Photograph
from catalogue.reading.decodable import decodable
from catalogue.reading.photographs import single
from resight.console import CommandError, Share, note
from resight.ledger_tools.confident_individuals import confident_photographs
from resight.sources import read_catalogue, show_notes
from shared.identifiers import slug


@dataclass(frozen=True)
class LedgerPictures:
    """Confident individuals of a ledger: all, or a random half of them."""

    ledger_url: str | None
    data_dir: Path
    individuals: Share = "all"

    def photographs(self, folder: Path) -> list[Photograph]:
        """Return their crops, written to `folder`; see `confident_photographs`."""
        return confident_photographs(self.ledger_url, self.data_dir, folder, self.individuals)


def labelled(
    folders: Sequence[Path], part: str | None, species: str | None = None
) -> list[Photograph]:
    """Return one photograph per labelled animal, or those of one `split`.

    `species` replaces theirs, unless None.

    Raises:
        CommandError: there are none.
    """
    found = decodable(read_catalogue(list(folders)).labelled(species))
    show_notes(found)
    animals = [each for each in single(found.photographs) if part in (None, each.split)]
    labelled = [each for each in animals if slug(each.identities[0]) not in ("", "unknown")]
    if not labelled:
        wanted = f" with split {part!r}" if part else ""
        raise CommandError(f"no labelled pictures{wanted} in {', '.join(map(str, folders))}")
    if len(labelled) < len(animals):
        note(f"{len(animals) - len(labelled)} animals without an identity are skipped")
    return labelled
