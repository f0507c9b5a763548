"""The result of a run as tables for a terminal."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from rich.table import Table

from catalogue.publishing.account import Account
from resight.reports.decisions import COLOURS
from resight.reports.summary import Summary, decisions_in_order, membership, rivals
from services.registry.identity.entry import OUTCOME_NAMES
from services.registry.identity.question import Question
from shared.messages import Decision, Viewpoint

_ROWS = 40


def individuals_table(account: Account, questions: Sequence[Question] = ()) -> Table:
    """Return a row for each individual, most sightings first."""
    seen: dict[str, list[Decision]] = defaultdict(list)
    belongs = membership(account)
    for decision in decisions_in_order(account):
        if individual := belongs.get(decision.sighting_id):
            seen[individual].append(decision)
    others = rivals(questions)
    labelled = any(subject.identity for subject in account.published.values())
    table = Table("individual", "sightings", "flanks", "cameras", "may be", title="individuals")
    if labelled:
        table.add_column("labels of its pictures")
    ranked = sorted(seen.items(), key=lambda item: (-len(item[1]), item[0]))
    for name, decisions in ranked[:_ROWS]:
        cells = [
            name,
            str(len(decisions)),
            _counted(
                Viewpoint.Name(each.viewpoint).removeprefix("VIEWPOINT_").lower()
                for each in decisions
            ),
            str(len({each.deployment for each in decisions})),
            ", ".join(f"{other} ({chance:.2f})" for other, chance in others.get(name, ())[:2]),
        ]
        if labelled:
            cells.append(_counted(account.published[d.sighting_id].identity for d in decisions))
        table.add_row(*cells)
    if len(ranked) > _ROWS:
        table.caption = f"and {len(ranked) - _ROWS} more"
    return table


def outcomes_table(summary: Summary) -> Table:
    """Return the numbers of a run."""
    table = Table("of", "count", title=f"{summary.sightings} sightings")
    meaning = {
        "known": "known: assigned to a known individual",
        "new": "new: a new individual",
        "review": "review: uncertain, may still change",
        "unidentifiable": "unidentifiable: cannot be compared",
    }
    for name in OUTCOME_NAMES.values():
        table.add_row(meaning[name], str(summary.decisions[name]), style=COLOURS[name])
    table.add_row("dead letters: could not be processed", str(summary.dead_letters))
    table.add_row("individuals", str(summary.individuals))
    table.add_row("open questions", str(summary.questions))
    table.add_section()
    table.add_row("seconds", f"{summary.seconds:.1f}")
    table.add_row("pictures/s", f"{summary.images_per_second:.2f}")
    for percentile, seconds in summary.latency_seconds.items():
        table.add_row(f"latency {percentile}, s", "-" if seconds is None else f"{seconds:.1f}")
    if summary.r1 is not None or summary.id_precision is not None:
        table.add_section()
        table.add_row("R-1 (right individual ranked first)", _share(summary.r1))
        table.add_row("pairwise F1", _share(summary.id_f1))
        table.add_row("pairwise precision", _share(summary.id_precision))
        table.add_row("pairwise recall", _share(summary.id_recall))
    return table


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _counted(names: Iterable[str]) -> str:
    return ", ".join(
        f"{count} {name or 'unlabelled'}" for name, count in Counter(names).most_common(4)
    )
