"""Orders the crops of a run for a contact sheet."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from catalogue.publishing.account import Account
from resight.reports.contact_sheet import Row, Thumbnail
from resight.reports.decisions import outcome
from resight.reports.summary import decisions_in_order, membership, rivals
from services.registry.identity.question import Question


def portraits(account: Account, questions: Sequence[Question], crops: Path) -> list[Row]:
    """Return a row for each individual, most sightings first, and one for sightings without.

    A sighting is in the row of its final individual. `crops` is the folder that holds the crops
    under their keys.

    Raises:
        OSError: a crop is missing.
    """
    belongs = membership(account)
    rows: dict[str | None, list[Thumbnail]] = defaultdict(list)
    for decision in decisions_in_order(account):
        thumbnail = Thumbnail(
            crop=(crops / decision.crop.key).read_bytes(),
            outcome=outcome(decision),
            label=account.published[decision.sighting_id].identity or None,
        )
        rows[belongs.get(decision.sighting_id)].append(thumbnail)
    ranked = sorted(rows.items(), key=lambda item: (-len(item[1]), item[0] or ""))
    others = rivals(questions)
    return [
        Row(individual, thumbnails, others.get(individual or "", ()))
        for individual, thumbnails in ranked
    ]
