"""`resight calibrate`: labelled pictures into the file by which the registry decides."""

import random
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track

from recognition.catalogue import Photograph
from resight.commands.publish import read_catalogue, show_skipped
from resight.console import CommandError, notes, results
from resight.publishing import capture
from resight.stack.servers import HOST, cache_store, free_port
from shared.identifiers import slug

if TYPE_CHECKING:
    from recognition.arrivals import Arrival, LabelledCapture

# Other animals than any demo draws: its seeds are small numbers.
DRAWN_SEED = 1000
DRAWN_SIGHTINGS = 6.0

# With fewer, a species has no curve of its own and goes by the pooled one.
FEWEST = 100


def calibrate(
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FOLDER…", help="Labelled pictures: folders with a metadata.csv each."
        ),
    ] = None,
    *,
    output: Annotated[Path, typer.Option(help="The file to write.")],
    model: Annotated[Path, typer.Option(help="The encoder's ONNX file, see `resight export`.")],
    name: Annotated[str, typer.Option(help="What decisions call this calibration.")] = "own",
    drawn: Annotated[int, typer.Option(min=0, help="Draw so many animals and take them too.")] = 0,
    split: Annotated[
        str | None,
        typer.Option(help="Where metadata.csv has a column `split`: only rows with this value."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Pictures of a folder at most.")] = None,
    false_known: Annotated[
        float, typer.Option(min=0, max=1, help="Share of 'known' that may name a wrong individual.")
    ] = 0.02,
    false_new: Annotated[
        float, typer.Option(min=0, max=1, help="Share of 'new' that may be about a known one.")
    ] = 0.3,
    seed: Annotated[int, typer.Option(help="Order in which the pictures arrive.")] = 0,
) -> None:
    """Fit evidence to probability, and find the thresholds for known, new and review.

    The pictures go one by one through the services' own code, each compared with
    those before it. A species with enough pictures gets a curve of its own; all
    together give the pooled one, for any other species.
    """
    # PyTorch and OpenCV take seconds to import, and few commands need them.
    from recognition.arrivals import curve  # noqa: PLC0415
    from recognition.calibration import write  # noqa: PLC0415
    from recognition.drawn.dataset import draw  # noqa: PLC0415
    from services.registry.calibration import Calibration  # noqa: PLC0415

    seen: dict[str, list[Arrival]] = {}
    with tempfile.TemporaryDirectory() as studio:
        folders = list(data or [])
        if drawn:
            draw(Path(studio), individuals=drawn, sightings=DRAWN_SIGHTINGS, seed=DRAWN_SEED + seed)
            folders.append(Path(studio))
        for folder in folders:
            for species, arrival in _arrive(_chosen(folder, split, limit, seed), model):
                seen.setdefault(slug(species), []).append(arrival)
    if not seen:
        raise CommandError("no labelled pictures: name folders with a metadata.csv, or --drawn N")
    calibration = Calibration(
        name=name,
        version=datetime.now(UTC).date().isoformat(),
        pooled=curve(seen, false_known, false_new),
        species={
            species: curve({species: arrived}, false_known, false_new)
            for species, arrived in seen.items()
            if len(arrived) >= FEWEST
        },
    )
    write(calibration, output)
    pooled = calibration.pooled
    results.print(f"wrote {output}: {pooled.queries} sightings of {pooled.fitted_on}")
    for species, fitted in {"pooled": pooled, **calibration.species}.items():
        results.print(f"  {species}: known from {fitted.known:.3f}, new below {fitted.new:.3f}")


def _chosen(folder: Path, split: str | None, limit: int | None, seed: int) -> list[Photograph]:
    """Return a folder's pictures in the order of their arrival."""
    found = read_catalogue([folder])
    show_skipped(found.skipped)
    chosen = [each for each in found.photographs if split in (None, each.split or split)]
    for photograph in chosen:
        if not all(photograph.identities):
            raise CommandError(f"{photograph.path} has no identity; calibration needs labels")
    random.Random(seed).shuffle(chosen)  # noqa: S311 - an order, no secret
    return chosen[:limit]


def _arrive(photographs: Sequence[Photograph], model: Path) -> "Iterator[tuple[str, Arrival]]":
    """Yield the species and the evidence of every sighting, over an empty gallery."""
    from recognition.arrivals import arrivals  # noqa: PLC0415
    from recognition.inline import handlers  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as name:
        server = cache_store(Path(name, "cache"), free_port())
        process = server.start()
        try:
            url = f"redis://{HOST}:{server.port}/0"
            with handlers(Path(name), url, model) as through:
                watched = track(photographs, "comparing", console=notes, transient=True)
                for labelled, arrival in arrivals(
                    (_labelled(each) for each in watched),
                    through.embedder,
                    through.lookup,
                    through.matcher,
                ):
                    yield labelled.capture.species, arrival
        finally:
            process.kill()
            process.wait()


def _labelled(photograph: Photograph) -> "LabelledCapture":
    from recognition.arrivals import LabelledCapture  # noqa: PLC0415

    message = capture(photograph, photograph.path.read_bytes(), datetime.now(UTC))
    return LabelledCapture(message, photograph.identities)
