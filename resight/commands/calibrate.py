"""`resight calibrate`: labelled pictures into the file by which the registry decides."""

import random
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track

from resight.catalogue import Photograph
from resight.commands.publish import read_catalogue, show_skipped
from resight.console import CommandError, notes, results
from resight.publishing import capture
from resight.stack.servers import HOST, cache_store, free_port
from shared.identifiers import slug

if TYPE_CHECKING:
    from recognition.arrivals import Arrival, LabelledCapture

# With fewer, a species has no curve of its own and goes by the pooled one.
FEWEST = 200


def calibrate(
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER…", help="Labelled pictures: a folder with a metadata.csv per species."
        ),
    ],
    *,
    output: Annotated[Path, typer.Option(help="The file to write.")],
    model: Annotated[Path, typer.Option(help="The encoder's ONNX file, see `resight export`.")],
    name: Annotated[str, typer.Option(help="What decisions call this calibration.")] = "own",
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
    ] = 0.1,
    seed: Annotated[int, typer.Option(help="Order in which the pictures arrive.")] = 0,
) -> None:
    """Fit evidence to probability, and find the thresholds for known, new and review.

    The pictures go one by one through the services' own code, each compared with
    those before it. A folder with enough pictures gives its species a curve of its own;
    all together give the pooled one, for any other species.
    """
    # PyTorch takes seconds to import, and few commands need it.
    from recognition.arrivals import curve  # noqa: PLC0415
    from recognition.calibration import write  # noqa: PLC0415
    from services.registry.calibration import Calibration  # noqa: PLC0415

    seen: dict[str, list[Arrival]] = {}
    for folder in data:
        found = read_catalogue([folder])
        show_skipped(found.skipped)
        chosen = [each for each in found.photographs if split in (None, each.split or split)]
        random.Random(seed).shuffle(chosen)  # noqa: S311 - an order, no secret
        for photograph in chosen[:limit]:
            if not all(photograph.identities):
                raise CommandError(f"{photograph.path} has no identity; calibration needs labels")
        arrived = _arrive(chosen[:limit], model, folder.name)
        for species, arrival in arrived:
            seen.setdefault(slug(species), []).append(arrival)
    every = [arrival for arrivals in seen.values() for arrival in arrivals]
    if not every:
        raise CommandError(f"no labelled pictures in {', '.join(map(str, data))}")
    names = ", ".join(sorted(seen))
    calibration = Calibration(
        name=name,
        version=datetime.now(UTC).date().isoformat(),
        pooled=curve(every, names, false_known, false_new),
        species={
            species: curve(arrived, species, false_known, false_new)
            for species, arrived in seen.items()
            if len(arrived) >= FEWEST
        },
    )
    write(calibration, output)
    results.print(f"wrote {output}: {len(every)} sightings of {names}")
    for species, fitted in {"pooled": calibration.pooled, **calibration.species}.items():
        results.print(f"  {species}: known from {fitted.known:.3f}, new below {fitted.new:.3f}")


def _arrive(
    photographs: Sequence[Photograph], model: Path, label: str
) -> "Iterator[tuple[str, Arrival]]":
    """Yield the species and the evidence of every sighting, over an empty gallery."""
    from recognition.arrivals import arrivals  # noqa: PLC0415
    from recognition.inline import handlers  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as name:
        server = cache_store(Path(name, "cache"), free_port())
        process = server.start()
        try:
            url = f"redis://{HOST}:{server.port}/0"
            with handlers(Path(name), url, model) as through:
                watched = track(photographs, label, console=notes, transient=True)
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
