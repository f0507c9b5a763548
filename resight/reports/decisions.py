"""Formats decisions as lines of text."""

from rich.text import Text

from services.registry.identity.entry import OUTCOME_NAMES, OutcomeName
from shared.messages import Decision, OperationKind, Viewpoint
from shared.process.text import one_line

COLOURS: dict[OutcomeName, str] = {
    "known": "green",
    "new": "cyan",
    "review": "yellow",
    "unidentifiable": "magenta",
}
_WIDTHS = (19, 14, 24, 6, 10, 16, 12)


def outcome(decision: Decision) -> OutcomeName:
    """Return the name of its outcome; those of later versions count as review."""
    return OUTCOME_NAMES.get(decision.outcome, "review")


def columns() -> Text:
    """Return the header line."""
    names = ("time", "outcome", "individual", "prob.", "viewpoint", "deployment", "sighting")
    return Text(_aligned(names), style="bold", no_wrap=True)


def row(decision: Decision) -> Text:
    """Return one decision as a line; for an operation what was done, and by whom."""
    if decision.HasField("operation"):
        return _operation(decision)
    name = outcome(decision)
    view = Viewpoint.Name(decision.viewpoint).removeprefix("VIEWPOINT_").lower()
    cells = (
        decision.decided_at.ToDatetime().isoformat(" ", "seconds"),
        name,
        decision.individual or "?",
        f"{decision.probability:.2f}",
        "unknown" if view == "unspecified" else view,
        decision.deployment,
        decision.sighting_id[:12],
    )
    return Text(_aligned(cells), style=COLOURS[name], no_wrap=True)


def _operation(decision: Decision) -> Text:
    kind = OperationKind.Name(decision.operation.kind).removeprefix("OPERATION_KIND_").lower()
    into = ", ".join(dict.fromkeys(change.into for change in decision.changes))
    cells = (
        decision.decided_at.ToDatetime().isoformat(" ", "seconds"),
        kind,
        into or "-",
        "",
        "",
        decision.actor,
        " ".join(sighting[:12] for sighting in decision.operation.sightings[:2]),
    )
    return Text(_aligned(cells), style="bold", no_wrap=True)


def _aligned(cells: tuple[str, ...]) -> str:
    return " ".join(one_line(cell).ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True))
