"""Labelled sightings through the registry as they arrive, and how well they end up together."""

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

# The two flanks of an animal show different coats, so they count as two.
FLANKS = {VIEWPOINT_LEFT: "left", VIEWPOINT_RIGHT: "right"}


@dataclass(frozen=True)
class Replayed:
    """One sighting's decision, and whose it is; '' where it has no label."""

    decision: Decision
    identity: str


@dataclass(frozen=True)
class Score:
    """How well a stream of sightings ended up together.

    `pairs` and `bcubed` compare IDs in the end with animals and their flanks, `ari` likewise.
    `false_known`: of the first sightings of an animal's flank, the share that was called known;
    None without any. `individuals`: IDs in the end, and flanks of animals that there are.
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
    """Yield what the registry decides on each sighting, in their order.

    Raises:
        ArrivalError: the registry calls a sighting poison, or does not decide on it.
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

    Of an animal seen from one flank, pictures from elsewhere are of that flank too; of one seen
    from both they are by themselves, as nobody can say to which they belong.
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
    """Return how well sightings ended up together, those of all galleries."""
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
    """Let somebody who knows answer questions, those worth most first; yield the score after each.

    `people` gives who answers in a gallery. There are at most `count` answers, and fewer where
    nothing is open any more. What is asked is whether the two sightings that a question shows
    are one animal's flank.
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
    """Return gallery and sightings of the first question that was not asked and has an answer."""
    for gallery in galleries:
        for doubt in ledger.questions(gallery):
            pair = doubt.sighting_of_one, doubt.sighting_of_other
            if frozenset(pair) not in asked and all(map(truth.get, pair)):
                return gallery, *pair
    return None
