"""The result of a replay as a table for a terminal."""

from rich.table import Table

from recognition.clustering_metrics import Pairwise
from recognition.replay.session import ReplayResult


def result_table(found: ReplayResult, title: str) -> Table:
    """Return a result as a table for a terminal."""
    score = found.score
    table = Table("of", "value", title=title)
    for outcome, count in score.decisions.items():
        table.add_row(outcome, str(count))
    table.add_section()
    table.add_row("final individuals", str(score.individuals))
    table.add_row("true animals' flanks", str(score.individuals_true))
    table.add_row("merges / splits", f"{score.merges} / {score.splits}")
    table.add_section()
    for name, three in (("pairs", score.pairs), ("B-cubed", score.bcubed)):
        table.add_row(f"{name}: precision, recall, F1", _three(three))
    table.add_row("adjusted Rand index", _share(score.ari))
    table.add_row("new animals called known", _share(score.false_known))
    table.add_section()
    table.add_row("questions per 100 sightings", f"{found.questions_per_100:.1f}")
    if found.after:
        answers = len(found.after)
        table.add_row(f"pairs' F1 after {answers} answers", _share(found.after[-1].pairs.f1))
    return table


def _three(found: Pairwise) -> str:
    return ", ".join(_share(each) for each in (found.precision, found.recall, found.f1))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
