"""`resight table`: evaluations as a Markdown table."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from resight.console import CommandError, results

_PIPELINES = ("embedding", "neighbours", "local", "count", "fusion")
_HEADER = (
    *("data", "split", "segmenter", "encoder", "queries", *_PIPELINES, "95 %", "R@100"),
    *("AUROC", "√(BAKS·BAUS)", "called known", "accepted"),
)


def table(
    files: Annotated[
        list[Path], typer.Argument(help="Files written by `resight evaluate --json`; one row each.")
    ],
) -> None:
    """Print saved evaluations as one Markdown table: R-1 by pipeline, and open-set metrics.

    `95 %` is fusion's bootstrap interval, `R@100` how often the shortlist holds the right
    individual, `called known` the share of new animals called known, `accepted` the share for which
    the thresholds were chosen.
    """
    rows = [_row(found, file) for file in files for found in _read(file)]
    lines = [_HEADER, ("---",) * len(_HEADER), *rows]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    results.print(text, soft_wrap=True, markup=False)


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} is not an evaluation's JSON: {error}") from error
    return found if isinstance(found, list) else [found]


def _row(found: dict[str, Any], file: Path) -> tuple[str, ...]:
    try:
        by_name = {row["pipeline"]: row for row in found["rows"]}
        low, high = by_name["fusion"]["r1_interval"]
        shortlist, open_set = found["shortlist_recall_at_100"], found["open_set"]
        return (
            found["dataset"],
            found["split"],
            found["segmenter"],
            found["model"].split("-")[0],
            str(found["queries"]),
            *(f"{by_name[name]['r1']:.3f}" for name in _PIPELINES),
            f"{low:.3f}–{high:.3f}",
            "" if shortlist is None else f"{shortlist:.3f}",
            *_open_set(open_set, found["accepted_false_known"]),
        )
    except (KeyError, TypeError) as error:
        raise CommandError(
            f"{file} was not written by `resight evaluate --json`: it lacks {error}"
        ) from error


def _open_set(found: dict[str, float] | None, accepted: float | None) -> tuple[str, ...]:
    if found is None:
        return ("",) * 4
    names = ("auroc", "geometric_mean", "false_known_rate")
    return (
        *(f"{found[name]:.3f}" for name in names),
        "none" if accepted is None else f"{accepted:.3f}",
    )
