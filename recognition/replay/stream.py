"""Runs labelled sightings through the registry in their order, and scores the result."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from recognition.clustering_metrics import Pairwise, adjusted_rand, bcubed, pairwise
from recognition.data.labelled_stream import LabelledStreamError, MatchedSighting
from services.registry.identity.entry import OUTCOME_NAMES, OutcomeName
from services.registry.identity.membership import Membership
from services.registry.ledger.ledger import Ledger
from services.registry.review.operations import OperationError
from services.registry.review.reviewer import Reviewer
from shared.errors import Poison
from shared.messages import (
    OUTCOME_KNOWN,
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    Decision,
    ImagePlace,
    Matches,
)
from shared.records import Handler

# The two flanks of an animal have different coats, so they count as two.
FLANKS = {VIEWPOINT_LEFT: "left", VIEWPOINT_RIGHT: "right"}


@dataclass(frozen=True)
class Replayed:
    """One sighting's decision, and its true animal; '' without a label."""

    decision: Decision
    identity: str


@dataclass(frozen=True)
class Score:
    """Final score of a stream.

    `pairs` and `bcubed` compare final IDs with animals and their flanks, `ari` likewise.
    `false_known`: of the first sightings of an animal's flank, the share called known; None without
        any. `individuals`: final IDs, and the true number of flanks.
    """

    sightings: int
    decisions: dict[OutcomeName, int]
    pairs: Pairwise
    bcubed: Pairwise
    ari: float | None
    false_known: float | None
    individuals: int
    individuals_true: int
    merges: int
    splits: int


def replay_sightings(
    seen: Iterable[MatchedSighting], registry: Handler[Matches | ImagePlace]
) -> Iterator[Replayed]:
    """Yield the registry's decision on each sighting, in order.

    Raises:
        LabelledStreamError: the registry calls a sighting poison, or does not decide.
    """
    for each in seen:
        [result] = registry.handle([each.matches])
        if isinstance(result, Poison):
            raise LabelledStreamError(f"the registry: {result.reason}")
        decisions = [item for item in result if isinstance(item, Decision)]
        if len(decisions) != 1:
            raise LabelledStreamError(
                f"sighting {each.matches.query.sighting_id} was not decided at once; "
                "does another registry write to this ledger?"
            )
        yield Replayed(decisions[0], each.identity)


def labels(replayed: Sequence[Replayed]) -> list[str]:
    """Return each sighting's animal with its flank; '' without a label.

    If an animal was seen from one flank only, its other pictures count for that flank; if from
    both, they are a group of their own.
    """
    seen: dict[str, set[str]] = defaultdict(set)
    for each in replayed:
        if flank := FLANKS.get(each.decision.viewpoint):
            seen[each.identity].add(flank)
    found = []
    for each in replayed:
        flank = FLANKS.get(each.decision.viewpoint, "")
        if not flank and len(seen[each.identity]) == 1:
            [flank] = seen[each.identity]
        found.append(f"{each.identity} {flank}".rstrip() if each.identity else "")
    return found


def score(replayed: Sequence[Replayed]) -> Score:
    """Return the score over all galleries."""
    told: dict[str, Membership] = {}
    counts = dict.fromkeys(OUTCOME_NAMES.values(), 0)
    truth: dict[str, str] = {}
    there: set[str] = set()
    firsts = []
    for each, label in zip(replayed, labels(replayed), strict=True):
        told.setdefault(each.decision.gallery, Membership()).apply(each.decision)
        if each.decision.HasField("operation"):
            continue
        counts[OUTCOME_NAMES[each.decision.outcome]] += 1
        if not label:
            continue
        truth[each.decision.sighting_id] = label
        if label not in there:
            firsts.append(each.decision.outcome == OUTCOME_KNOWN)
        there.add(label)
    given: dict[str, str | None] = {
        sighting: f"{gallery} {individual}"
        for gallery, belonging in told.items()
        for sighting, individual in belonging.members.items()
    }
    changes = [change for each in replayed for change in each.decision.changes]
    merges = sum(not change.sightings for change in changes)
    return Score(
        sightings=sum(counts.values()),
        decisions=counts,
        pairs=pairwise(given, truth),
        bcubed=bcubed(given, truth),
        ari=adjusted_rand(given, truth),
        false_known=sum(firsts) / len(firsts) if firsts else None,
        individuals=len(set(given.values())),
        individuals_true=len(there),
        merges=merges,
        splits=len(changes) - merges,
    )


def answered(
    ledger: Ledger,
    people: Callable[[str], Reviewer],
    replayed: Sequence[Replayed],
    count: int,
) -> Iterator[Score]:
    """Answer questions by the true labels, most valuable first; yield the score after each.

    `people` gives the reviewer of a gallery. At most `count` answers, fewer if no question is left.
    The answer is whether the two sightings shown are of one animal's flank.
    """
    truth = {
        each.decision.sighting_id: label
        for each, label in zip(replayed, labels(replayed), strict=True)
    }
    galleries = sorted({each.decision.gallery for each in replayed})
    asked: set[frozenset[str]] = set()
    operations: list[Replayed] = []
    for number in range(count):
        question = _next(ledger, galleries, truth, asked)
        if question is None:
            return
        gallery, one, other = question
        asked.add(frozenset((one, other)))
        person = people(gallery)
        say = person.same if truth[one] == truth[other] else person.different
        try:
            entry = say(f"answer {number}", one, other)
        except OperationError:
            continue
        operations.append(Replayed(entry.decision, ""))
        yield score([*replayed, *operations])


def _next(
    ledger: Ledger,
    galleries: Sequence[str],
    truth: Mapping[str, str],
    asked: Collection[frozenset[str]],
) -> tuple[str, str, str] | None:
    """Return gallery and sightings of the first new question that has an answer."""
    for gallery in galleries:
        for doubt in ledger.questions(gallery):
            pair = doubt.sighting_of_one, doubt.sighting_of_other
            if frozenset(pair) not in asked and all(map(truth.get, pair)):
                return gallery, *pair
    return None
