"""`resight evaluate`: measure recognition on labelled pictures with the serving code."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recognition.calibration.bound import RiskLevels
from recognition.defaults import ADAPTED, SEED
from resight.commands.recognition.options import CACHE, JsonFile
from resight.console import CommandError, ConsoleProgress, note, results, write_json
from services.matcher.cascade.policy import PolicyName
from shared.foreground.settings import SegmenterName

if TYPE_CHECKING:
    from recognition.evaluation.data_set import EvaluationOptions
    from recognition.evaluation.run import Evaluation
    from recognition.replay.in_process import Handlers

STUDY = "study"


def evaluate(
    *,
    data: Annotated[
        list[Path],
        typer.Option(help="Folder with a metadata.csv. Presets accept several."),
    ],
    split: Annotated[
        str,
        typer.Option(
            help="Split into gallery and queries. closed, open, disjoint, time: as published; "
            "encounter: no encounter on both sides (recommended); study: a fifth of the "
            "individuals is new."
        ),
    ] = "closed",
    preset: Annotated[
        str | None,
        typer.Option(help="study: compare backbones and pipelines over several data sets."),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="The encoder: an ONNX file, a backbone's name, or adapted: what `resight adapt` "
            "makes of the gallery, calibrated on animals it was not trained on."
        ),
    ] = ADAPTED,
    backbone: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[=FILE]", help="With a preset: a row of the table; repeatable."),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="Calibration file. Default: fitted on the gallery, never on queries.",
            show_default=False,
        ),
    ] = None,
    whole: Annotated[
        bool | None,
        typer.Option(
            "--whole/--flank",
            help="Search the whole gallery, or exclude opposite flanks as the service does. "
            "Default: whole as published; flank for the encounter split.",
            show_default=False,
        ),
    ] = None,
    policy: Annotated[
        PolicyName | None,
        typer.Option(
            help="Matcher policy, see RESIGHT_MATCHER_POLICY. Default: as served.",
            show_default=False,
        ),
    ] = None,
    segmenter: Annotated[
        SegmenterName | None,
        typer.Option(
            help="Segmenter. Default: as served.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed of the split.")] = SEED,
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum number of pictures.")] = None,
    fitting_pictures: Annotated[
        int, typer.Option(min=1, help="Maximum gallery pictures for fitting the calibration.")
    ] = 400,
    max_false_known: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="Accepted rate of new animals called known.")
    ] = RiskLevels.false_known,
    json_file: JsonFile = None,
    pictures: Annotated[
        Path | None,
        typer.Option(help="Output folder for charts and failure cases.", show_default=False),
    ] = None,
    cache: Annotated[
        Path, typer.Option(help="Cache folder for crops, embeddings, keypoints and matches.")
    ] = CACHE,
    workers: Annotated[
        int, typer.Option(min=1, help="Pictures compared in parallel.")
    ] = os.cpu_count() or 1,
) -> None:
    """Measure recognition on labelled pictures.

    Enrols the gallery and runs every query through the services' own code: same crops, encoder,
    cascade and decision. A second run reuses the results in --cache.
    """
    # PyTorch, OpenCV and Matplotlib take seconds to import, and few commands need them.
    from recognition.evaluation.data_set import EvaluationOptions  # noqa: PLC0415

    options = EvaluationOptions(
        whole=whole,
        seed=seed,
        limit=limit,
        calibration=calibration,
        policy=policy,
        segmenter=segmenter,
        fitting_pictures=fitting_pictures,
        max_false_known=max_false_known,
        cache=cache,
        workers=workers,
    )
    numbers: Any
    if preset is None:
        if len(data) > 1 or backbone:
            raise CommandError("several --data or any --backbone need a table: add --preset study")
        numbers = _one(data[0], split, model, options, pictures)
    elif preset == STUDY:
        numbers = _study(data, backbone or [ADAPTED], options, pictures)
    else:
        raise CommandError(f"there is no preset {preset!r}; there is {STUDY}")
    if json_file is not None:
        write_json(json_file, numbers)
        note(f"wrote {json_file}")


def _one(
    folder: Path, split: str, model: str, options: "EvaluationOptions", pictures: Path | None
) -> dict[str, Any]:
    """Evaluate one data set and print its tables."""
    from resight.reports import scores  # noqa: PLC0415

    found = _evaluated(folder, split, model, options, pictures)
    results.print(scores.rows_table(folder, split, found.report))
    if found.report.open_set is not None:
        results.print(scores.open_set_table(found.report.open_set, found.report.calibration_error))
    return scores.as_json(folder, split, options, found)


def _study(
    data: list[Path], backbones: list[str], options: "EvaluationOptions", pictures: Path | None
) -> list[dict[str, Any]]:
    """Evaluate every backbone on every data set and print one table in Markdown."""
    from resight.reports import scores  # noqa: PLC0415

    studied, numbers = [], []
    for folder in data:
        for named in backbones:
            name, _, file = named.partition("=")
            dataset = folder.resolve().name
            note(f"{dataset}, {name}")
            where = pictures and pictures / dataset / name
            found = _evaluated(folder, STUDY, file or name, options, where)
            studied.append(scores.Studied(dataset, name, found.report))
            numbers.append({"backbone": name, **scores.as_json(folder, STUDY, options, found)})
    results.print(scores.study_markdown(studied), soft_wrap=True, markup=False)
    return numbers


def _evaluated(
    folder: Path, split: str, model: str, options: "EvaluationOptions", pictures: Path | None
) -> "Evaluation":
    from recognition.evaluation.data_set import evaluate_folder  # noqa: PLC0415
    from recognition.figures import chart_files, failure_cases  # noqa: PLC0415

    subject = f"{folder.resolve().name}, {split}"

    def draw(found: "Evaluation", through: "Handlers") -> None:
        if pictures is None:
            return
        for path in chart_files.draw(found, pictures, subject):
            note(f"wrote {path}")
        target = pictures / "mistakes.png"
        if failure_cases.draw(found, through, options.matching, target, subject):
            note(f"wrote {target}")

    return evaluate_folder(folder, split, model, options, progress=ConsoleProgress(), inspect=draw)
