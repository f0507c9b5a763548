"""Alert rules: which decisions raise an alert. Pure functions."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from services.registry.identity.entry import OUTCOME_NAMES
from services.registry.identity.question import Question
from shared.messages import Decision

Kind = Literal["sighting", "individual", "deployment", "new", "question", "unseen"]
KINDS: tuple[Kind, ...] = get_args(Kind)

DAY = 86_400.0
MOST_DIGITS = 6


@dataclass(frozen=True)
class RuleSpec:
    """What to report about a gallery, and where.

    kind: every `sighting`; those of one `individual` or one `deployment`; each `new` individual; a
        `question` whose answer affects this many pairs; an individual `unseen` for this many days
    target: the individual, the deployment, the pairs, or the days; '' if the kind needs none
    """

    name: str
    gallery: str
    kind: Kind
    target: str
    url: str


@dataclass(frozen=True)
class Rule(RuleSpec):
    """A stored rule. `secret` signs its alerts."""

    id: str
    secret: str
    made_by: str
    made_at: float


@dataclass(frozen=True)
class Alert:
    """An alert. Its `id` is the same whenever it is raised again."""

    id: str
    rule: str
    what: dict[str, Any]


def of_decision(
    rule: Rule, decision: Decision, became: Callable[[str], str] = lambda name: name
) -> Alert | None:
    """Return a rule's alert about a decision, if any.

    became: the current individual of an ID, so that rules follow merges
    """
    if decision.HasField("operation") or decision.gallery != rule.gallery:
        return None
    outcome = OUTCOME_NAMES.get(decision.outcome, "review")
    wanted = {
        "sighting": True,
        "individual": bool(decision.individual)
        and (became(decision.individual) or decision.individual)
        == (became(rule.target) or rule.target),
        "deployment": decision.deployment == rule.target,
        "new": outcome == "new",
    }.get(rule.kind, False)
    if not wanted:
        return None
    told = {
        "sighting": decision.sighting_id,
        "individual": decision.individual,
        "outcome": outcome,
        "probability": round(decision.probability, 4),
        "deployment": decision.deployment,
        "captured_at": decision.captured_at.ToJsonString()
        if decision.HasField("captured_at")
        else None,
        "decided_at": decision.decided_at.ToJsonString(),
        "entry": decision.number,
    }
    return _alert(rule, str(decision.number), told)


def of_questions(
    rule: Rule, questions: Sequence[Question], sizes: dict[str, int]
) -> Iterator[Alert]:
    """Yield a rule's alerts about open questions; each pair of sightings once."""
    if rule.kind != "question":
        return
    for question in questions:
        pairs = sizes.get(question.one, 0) * sizes.get(question.other, 0)
        if pairs >= int(rule.target or 1):
            told = {
                "one": question.one,
                "other": question.other,
                "probability": round(question.probability, 4),
                "pairs": pairs,
            }
            yield _alert(rule, f"{question.sighting_of_one} {question.sighting_of_other}", told)


def of_last_seen(rule: Rule, last_seen: dict[str, float], now: float) -> Iterator[Alert]:
    """Yield a rule's alerts about individuals not seen recently; each absence once.

    `last_seen` has the individuals for which that is known.
    """
    if rule.kind != "unseen":
        return
    days = float(rule.target)
    for individual, last in sorted(last_seen.items()):
        if now - last >= days * DAY:
            told = {"individual": individual, "last_seen": last, "days": int((now - last) // DAY)}
            yield _alert(rule, f"{individual} {last}", told)


def fault(wanted: RuleSpec) -> str:
    """Return why a rule is invalid; '' if it is valid."""
    kind, target, url = wanted.kind, wanted.target, wanted.url
    if kind not in KINDS:
        return f"unknown kind {kind!r}; choose one of {', '.join(KINDS)}"
    if not url.startswith(("https://", "http://")):
        return f"{url!r} is not a web address; it must begin with https://"
    if kind in {"individual", "deployment"} and not target:
        return f"name the {kind}"
    if kind in {"question", "unseen"} and not _is_count(target):
        return f"{target!r} is not a number of {'pairs' if kind == 'question' else 'days'}"
    return ""


def _is_count(text: str) -> bool:
    """Return whether a text is a number from 1, in ASCII digits."""
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS and int(text) > 0


def _alert(rule: Rule, subject: str, told: dict[str, Any]) -> Alert:
    identifier = hashlib.sha256(f"{rule.id}\n{subject}".encode()).hexdigest()[:32]
    what = {"alert": identifier, "rule": rule.name, "kind": rule.kind, "gallery": rule.gallery}
    return Alert(identifier, rule.id, what | told)
