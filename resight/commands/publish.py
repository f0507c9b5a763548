"""`resight publish`: photographs onto the topic of captures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from recognition import catalogue
from recognition.catalogue import Catalogue, Skipped
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
from resight.publishing import publish as publish_photographs
from resight.stack.state import DEFAULT_FOLDER
from resight.target import kafka_settings

_SHOWN = 10


def publish(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER|FILE…",
            help="Pictures, or folders of them. A folder's metadata.csv says what is known: "
            "path,identity,species,viewpoint,date and, if you have them, deployment,sequence,"
            "population,x,y,width,height.",
        ),
    ],
    *,
    bootstrap_servers: BootstrapServers = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    species: Annotated[str | None, typer.Option(help="Species of all pictures.")] = None,
    deployment: Annotated[
        str | None, typer.Option(help="Camera and period that took them, such as 'gate-2026'.")
    ] = None,
    population: Annotated[
        str | None, typer.Option(help="Population; animals are only compared within one.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many.")] = None,
    as_json: AsJson = False,
) -> None:
    """Publish photographs to be identified.

    Publishing a picture again is harmless: the same picture is the same sighting
    with the same decision. The column `identity` never leaves this machine.
    """
    found = read_catalogue(sources).labelled(species, population, deployment).first(limit)
    if not as_json:
        show_skipped(found.skipped)
    if not found.photographs:
        raise CommandError(f"nothing to publish in {', '.join(map(str, sources))}")
    kafka = kafka_settings(bootstrap_servers, data_dir)
    sightings: set[str] = set()
    progress = track(
        publish_photographs(kafka, found.photographs),
        "publishing",
        total=len(found.photographs),
        console=notes,
        transient=True,
        disable=as_json,
    )
    for published in progress:
        sightings.update(published.sightings)
    if as_json:
        skipped = [{"path": str(each.path), "reason": each.reason} for each in found.skipped]
        count = len(found.photographs)
        print_json({"published": count, "sightings": len(sightings), "skipped": skipped})
    else:
        results.print(
            f"published {len(found.photographs)} captures with {len(sightings)} distinct sightings "
            f"to {kafka.bootstrap_servers}; see who they are with `resight watch --from-beginning`",
            soft_wrap=True,
        )


def read_catalogue(sources: Sequence[Path]) -> Catalogue:
    """Return what there is to publish.

    Raises:
        typer.BadParameter: a source can't be read as pictures.
    """
    try:
        return catalogue.read(sources)
    except (FileNotFoundError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error


def show_skipped(skipped: Sequence[Skipped]) -> None:
    """List what is left out and why, the first few."""
    for each in skipped[:_SHOWN]:
        note(f"skipped {each.path}: {each.reason}")
    if len(skipped) > _SHOWN:
        note(f"skipped {len(skipped) - _SHOWN} more files; --json lists them all")
