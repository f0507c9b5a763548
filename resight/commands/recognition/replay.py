"""`resight replay`: simulate a stream of labelled pictures and score the result."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from resight.commands.recognition.options import (
    CACHE,
    ENCODER,
    Encoder,
    EvidenceCache,
    JsonFile,
    ServedCalibration,
)
from resight.console import CommandError, ConsoleProgress, note, results, write_json


def replay(
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER…", help="Labelled pictures: folders with a metadata.csv each."
        ),
    ],
    *,
    calibration: ServedCalibration = None,
    model: Encoder = ENCODER,
    order: Annotated[
        Literal["time", "table", "shuffle"],
        typer.Option(help="Arrival order: by time, as listed, or random."),
    ] = "table",
    seed: Annotated[int, typer.Option(help="Random seed of the order.")] = 0,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Maximum pictures per folder.", show_default=False),
    ] = None,
    answers: Annotated[
        int, typer.Option(min=0, help="Answer this many questions correctly afterwards.")
    ] = 0,
    json_file: JsonFile = None,
    chart: Annotated[
        Path | None,
        typer.Option(help="Draw the score after each answer to this file.", show_default=False),
    ] = None,
    cache: EvidenceCache = CACHE,
) -> None:
    """Simulate a stream of labelled pictures and score the resulting individuals.

    The pictures go through the services' own code and a real ledger, each decided before the next
    arrives, without reviewers. The score is of the final individuals, after later pictures have
    joined, merged and split them.

    Comparing takes half a second per picture, once: evidence does not depend on decisions, so
    another --calibration takes seconds.
    """
    # PyTorch and scikit-learn take seconds to import, and few commands need them.
    from recognition.data.labelled_folder import labelled_photographs, ordered  # noqa: PLC0415
    from recognition.evaluation.encoders import model_file  # noqa: PLC0415
    from recognition.figures.answers_curve import draw  # noqa: PLC0415
    from recognition.replay.evidence_cache import matched_sightings  # noqa: PLC0415
    from recognition.replay.session import as_json, replay_stream  # noqa: PLC0415
    from resight.reports.replay_table import result_table  # noqa: PLC0415
    from services.registry.calibration.calibration import load as load_calibration  # noqa: PLC0415
    from services.registry.settings import RegistrySettings  # noqa: PLC0415
    from shared.environment import load  # noqa: PLC0415

    progress = ConsoleProgress()
    photographs = [
        each
        for folder in data
        for each in ordered(labelled_photographs(folder, None, None, progress), order, seed)[:limit]
    ]
    if not photographs:
        raise CommandError(f"no pictures in {', '.join(map(str, data))}")
    curves = load_calibration(calibration or load(RegistrySettings).calibration)
    seen = matched_sightings(photographs, model_file(model, cache / "models"), cache, progress)
    found = replay_stream(seen, curves, answers)
    title = f"{found.score.sightings} sightings, by {curves.title}"
    results.print(result_table(found, title))
    if chart is not None:
        chart.parent.mkdir(parents=True, exist_ok=True)
        draw(found.score, found.after, chart, ", ".join(folder.name for folder in data))
        note(f"drew {chart}")
    if json_file is not None:
        write_json(json_file, as_json(found))
        note(f"wrote {json_file}")
