"""Evaluation results as tables for a terminal, as Markdown and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from recognition.evaluation.data_set import EvaluationOptions
from recognition.evaluation.report import OpenSet, Report, Row
from recognition.evaluation.run import Evaluation
from shared.embeddings import model_name

# Pipelines of the original study, with their names there.
STUDIED = {"embedding": "embedding", "count": "+ LightGlue, by count", "fusion": "+ fusion"}


@dataclass(frozen=True)
class Studied:
    """One backbone on one data set."""

    dataset: str
    backbone: str
    report: Report


def as_json(
    folder: Path, split: str, options: EvaluationOptions, found: Evaluation
) -> dict[str, Any]:
    """Return all numbers of an evaluation, with its conditions."""
    matches = found.asked[0].matches
    guarantee = found.curve(found.asked[0]).guarantee
    return {
        "dataset": folder.resolve().name,
        "split": split,
        **found.report.as_dict(),
        "seed": options.seed,
        "viewpoints": "ignored" if found.whole else "opposite flanks apart",
        "model": model_name(matches.query.embedding.model),
        "extractor": model_name(matches.extractor),
        "matcher": model_name(matches.matcher),
        "segmenter": options.matching.segmenter,
        "calibration": found.calibration.title,
        "accepted_false_known": None if guarantee is None else guarantee.false_known,
        "limit": options.limit,
    }


def rows_table(folder: Path, split: str, found: Report) -> Table:
    """Return a row for each pipeline."""
    title = (
        f"{folder.resolve().name}, {split} split: {found.known} known and "
        f"{found.queries - found.known} unknown queries, {found.gallery} in the gallery"
    )
    table = Table("pipeline", "R-1", "95 %", "R-5", "R-20", "mAP", title=title)
    for row in found.rows:
        low, high = row.r1_interval
        numbers = (f"{value:.3f}" for value in (row.r5, row.r20, row.map))
        table.add_row(row.pipeline, f"{row.r1:.3f}", f"{low:.3f}–{high:.3f}", *numbers)
    if found.shortlist_recall is not None:
        table.caption = (
            f"the right individual is among the 100 candidates of {found.shortlist_recall:.3f}"
        )
    return table


def open_set_table(found: OpenSet, error: float) -> Table:
    """Return a table of open-set metrics; `error` is the calibration's."""
    table = Table("of", "value", title="known against unknown")
    rows = {
        "AUROC": found.auroc,
        "BAKS: known animals, named correctly": found.baks,
        "BAUS: unknown animals, called new": found.baus,
        "√(BAKS · BAUS)": found.geometric_mean,
        "unknown called known": found.false_known_rate,
        "  at most, with 95 % confidence": found.false_known_bound,
        **{
            f"DIR: named at a false alarm rate of {rate}": value
            for rate, value in found.dir_at_fpir.items()
        },
        "calibration error": error,
    }
    for name, value in rows.items():
        table.add_row(name, f"{value:.3f}")
    return table


def study_markdown(studied: Sequence[Studied]) -> str:
    """Return the study's table: backbones by pipelines, on every data set."""
    lines = [
        "| data set | backbone | pipeline | R-1 | 95 % | R-20 | queries |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in studied:
        rows: dict[str, Row] = {row.pipeline: row for row in each.report.rows}
        lines += [
            f"| {each.dataset} | {each.backbone} | {title} | {rows[name].r1:.3f} "
            f"| {rows[name].r1_interval[0]:.3f}–{rows[name].r1_interval[1]:.3f} "
            f"| {rows[name].r20:.3f} | {each.report.known} |"
            for name, title in STUDIED.items()
            if name in rows
        ]
    return "\n".join(lines)
