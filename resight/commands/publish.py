"""`resight publish`: publish photographs to the captures topic."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import track

from catalogue.publishing.captures import publish as publish_photographs
from catalogue.reading.catalogue import Photograph, Skipped
from catalogue.reading.dates import correction
from resight.connections import kafka_settings
from resight.console import (
    AsJson,
    BootstrapServers,
    CommandError,
    DataDir,
    note,
    notes,
    print_json,
    results,
)
from resight.sources import read_catalogue, show_notes
from resight.stack_state import DEFAULT_FOLDER
from shared.settings import KafkaSettings

# Exit status of a command that finished, but skipped items that it has named.
LEFT_OUT = 3


def publish(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER|FILE…",
            help="Pictures, or folders of them. A folder's metadata.csv describes them: "
            "path,identity,species,viewpoint,date and optionally "
            "deployment,sequence,population,x,y,width,height.",
        ),
    ],
    *,
    bootstrap_servers: BootstrapServers = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    species: Annotated[str | None, typer.Option(help="Species of all pictures.")] = None,
    deployment: Annotated[
        str | None, typer.Option(help="Deployment: one camera at one place, such as 'gate-2026'.")
    ] = None,
    population: Annotated[
        str | None, typer.Option(help="Population. Animals are compared only within a population.")
    ] = None,
    clock: Annotated[
        str | None,
        typer.Option(
            metavar="CORRECTION",
            help="Correction added to the pictures' times (EXIF) if the camera clock was wrong or "
            "local: +2h, -1d3h20m. Dates in metadata.csv are not changed.",
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum number of pictures.")] = None,
    as_json: AsJson = False,
) -> None:
    """Publish photographs for identification.

    Publishing a picture again is harmless: it is the same sighting with the same decision. The
    column `identity` never leaves this machine. Unreadable pictures are named and skipped; then the
    exit status is 3.
    """
    shift = None if clock is None else _correction(clock)
    found = read_catalogue(sources).labelled(species, population, deployment, shift).first(limit)
    sent = Sent(skipped=list(found.skipped))
    if not as_json:
        show_notes(found)
    if found.photographs:
        kafka = kafka_settings(bootstrap_servers, data_dir)
        _send(kafka, found.photographs, sent, quiet=as_json)
    if as_json:
        print_json({**sent.as_dict(), "notes": found.notes})
    elif sent.captures:
        results.print(
            f"published {sent.captures} captures with {len(sent.sightings)} distinct sightings to "
            f"{kafka.bootstrap_servers}; see the decisions with `resight watch --from-beginning`",
            soft_wrap=True,
        )
    if not sent.captures:
        raise CommandError(f"nothing to publish in {', '.join(map(str, sources))}")
    if sent.faults:
        note(f"{len(sent.faults)} pictures were skipped; --json lists them with their reasons")
        raise typer.Exit(LEFT_OUT)


@dataclass
class Sent:
    """Published and skipped pictures."""

    captures: int = 0
    sightings: set[str] = field(default_factory=set)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def faults(self) -> list[Skipped]:
        """The pictures that should have been published."""
        return [each for each in self.skipped if each.fault]

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "published": self.captures,
            "sightings": len(self.sightings),
            "left_out": len(self.faults),
            "skipped": [
                {"path": str(each.path), "reason": each.reason, "fault": each.fault}
                for each in self.skipped
            ],
        }


def _correction(clock: str) -> timedelta:
    try:
        return correction(clock)
    except ValueError as error:
        raise CommandError(f"--clock: {error}") from error


def _send(
    kafka: KafkaSettings, photographs: Sequence[Photograph], sent: Sent, *, quiet: bool
) -> None:
    progress = track(
        publish_photographs(kafka, photographs),
        "publishing",
        total=len(photographs),
        console=notes,
        transient=True,
        disable=quiet,
    )
    for outcome in progress:
        if isinstance(outcome, Skipped):
            sent.skipped.append(outcome)
            if not quiet:
                note(f"skipped {outcome.path}: {outcome.reason}")
        else:
            sent.captures += 1
            sent.sightings.update(outcome.sightings)
