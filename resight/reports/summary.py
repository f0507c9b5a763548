"""Summary of a run, in numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from catalogue.publishing.account import Account
from recognition.clustering_metrics import Decided, Moved, pairwise, r1
from resight.reports.decisions import outcome
from services.registry.identity.entry import OUTCOME_NAMES, OutcomeName
from services.registry.identity.membership import Membership
from services.registry.identity.question import Question
from shared.messages import Decision


@dataclass(frozen=True)
class Summary:
    """`sightings` is the sum of `decisions` and `dead_letters` once all are accounted for.

    `decisions` counts them as made, `individuals` the final ones, and `questions` the open pairs.
    `unidentifiable` sightings belong to none. `seconds` runs from the first publish to the last
    event, `latency_seconds` from each one's publish to its decision. The last four compare with
    labels and are None without: the share of sightings of enrolled individuals whose first-ranked
    individual is the right one, and precision, recall and F1 of the pairs of sightings with one
    final ID.
    """

    captures: int
    sightings: int
    decisions: Mapping[OutcomeName, int]
    dead_letters: int
    individuals: int
    questions: int
    unidentifiable: int
    seconds: float
    images_per_second: float
    latency_seconds: Mapping[str, float | None]
    r1: float | None
    id_precision: float | None
    id_recall: float | None
    id_f1: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


def summarise(account: Account, questions: Sequence[Question] = ()) -> Summary:
    """Return the numbers of a run."""
    decisions = decisions_in_order(account)
    seconds = account.last_news - account.began
    counts = dict.fromkeys(OUTCOME_NAMES.values(), 0)
    for decision in decisions:
        counts[outcome(decision)] += 1
    truth = {key: one.identity for key, one in account.published.items() if one.identity}
    belongs = membership(account)
    pairs = pairwise(belongs, truth)
    return Summary(
        captures=account.captures,
        sightings=len(account.published),
        decisions=counts,
        dead_letters=len(account.dead),
        individuals=len(set(belongs.values())),
        questions=len(questions),
        unidentifiable=counts["unidentifiable"],
        seconds=round(seconds, 3),
        images_per_second=round(account.captures / seconds, 3) if seconds else 0.0,
        latency_seconds=_percentiles([_latency(each) for each in decisions]),
        r1=_rounded(r1([_decided(each) for each in decisions], truth)),
        id_precision=_rounded(pairs.precision),
        id_recall=_rounded(pairs.recall),
        id_f1=_rounded(pairs.f1),
    )


def decisions_in_order(account: Account) -> list[Decision]:
    """Return the decisions in ledger order, gallery by gallery."""
    return sorted(account.decisions.values(), key=lambda each: (each.gallery, each.number))


def membership(account: Account) -> dict[str, str]:
    """Return the final individual of each sighting."""
    galleries: dict[str, Membership] = {}
    for decision in decisions_in_order(account):
        galleries.setdefault(decision.gallery, Membership()).apply(decision)
    return {
        sighting: individual
        for told in galleries.values()
        for sighting, individual in told.members.items()
        if sighting in account.published
    }


def rivals(questions: Iterable[Question]) -> dict[str, list[tuple[str, float]]]:
    """Return other individuals that a tentative one may be, likeliest first.

    Questions that do not make it tentative are omitted.
    """
    found: dict[str, list[tuple[str, float]]] = {}
    serious = (question for question in questions if question.serious)
    for question in sorted(serious, key=lambda question: -question.log_odds):
        found.setdefault(question.one, []).append((question.other, question.probability))
        found.setdefault(question.other, []).append((question.one, question.probability))
    return found


def _decided(decision: Decision) -> Decided:
    return Decided(
        sighting=decision.sighting_id,
        enrolled=decision.enrolment_number > 0,
        individual=decision.individual or None,
        ranked_first=decision.ranked[0].individual if decision.ranked else None,
        moved=tuple(
            Moved(change.individual, change.into, tuple(change.sightings))
            for change in decision.changes
        ),
    )


def _latency(decision: Decision) -> float:
    decided, published = decision.decided_at, decision.published_at
    return (decided.ToDatetime() - published.ToDatetime()).total_seconds()


def _percentiles(seconds: list[float]) -> dict[str, float | None]:
    if not seconds:
        return {"p50": None, "p95": None}
    half, most = np.percentile(seconds, [50, 95])
    return {"p50": round(float(half), 3), "p95": round(float(most), 3)}


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
