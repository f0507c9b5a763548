"""Decides about a query, given the ledger's data and the calibration. Pure functions.

In two steps, with a ledger query between them: `rank_query` ranks individuals and selects those in
question; `resolve_query` decides where the query belongs and what changes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from services.registry.calibration.calibration import Calibration, Curve
from services.registry.features.comparisons import Comparisons
from services.registry.identity.question import Question
from services.registry.identity.rank import UNIDENTIFIABLE, Verdict, judge, rank
from services.registry.identity.resolve import Member, Resolution, resolve
from services.registry.identity.view import Group, View, image_of
from shared.messages import OUTCOME_KNOWN, OUTCOME_REVIEW, Change, Matches, RankedIndividual

# Maximum number of sightings clustered, in total and per individual; more only add time.
MAX_SIGHTINGS, MAX_SIGHTINGS_OF_ONE = 300, 80

# Where evidence cannot separate individuals, chance joins are split again by the next picture:
# nyalas, calibrated on other species, have 0.7 splits per sighting or more; zebras, cats and
# synthetic animals 0.03 to 0.26. Above this rate only known individuals are joined, until splits
# are rarer.
SPLITS_A_SIGHTING = 0.4
SPLITS_AT_FIRST = 10

# Placeholder of an individual that the query founds.
FOUNDED = "+0"


@dataclass(frozen=True)
class RankedQuery:
    """The ranking of a query.

    `asked`: the individuals in question, most probable first; without any the verdict stands.
    `anchors`: the sightings it is bound to: those that identify it, and one of its encounter.
    `enrolled`: number of sightings in the gallery.
    """

    verdict: Verdict
    ranked: Sequence[RankedIndividual]
    comparisons: Comparisons
    asked: Sequence[str]
    curve: Curve
    anchors: tuple[str, ...] = ()
    enrolled: int = 0


@dataclass(frozen=True)
class Resolved:
    """What to decide: the verdict, where the query belongs, and what changes about others.

    `revisions`: of the individuals that it depends on. `questions`: open questions between them.
    `anchors`: the sightings that the query is bound to.
    """

    verdict: Verdict
    individual: str
    changes: Sequence[Change]
    revisions: Mapping[str, str]
    questions: Sequence[Question] = ()
    anchors: tuple[str, ...] = ()


def rank_query(matches: Matches, view: View, calibration: Calibration) -> RankedQuery:
    """Rank a query's individuals, given what the ledger knows of its candidates.

    Raises:
        Poison: the evidence holds impossible numbers.
    """
    curve = calibration.curve(matches.query.gallery)
    evidence = [item for item in matches.evidence if item.candidate.sighting_id in view.members]
    numbers = {item.candidate.enrolment_number: item.candidate.sighting_id for item in evidence}
    candidate_statistics = {
        number: view.candidate_statistics[sighting]
        for number, sighting in numbers.items()
        if sighting in view.candidate_statistics
    }
    comparisons = Comparisons.of(evidence, candidate_statistics, matches.votes)
    ranked = rank(evidence, view.members, view.taken, curve)
    if matches.incomparable:
        return RankedQuery(UNIDENTIFIABLE, ranked, comparisons, (), curve)
    guaranteed = not calibration.unseen_models(matches)
    verdict = judge(ranked, curve, guaranteed=guaranteed)
    clustering = calibration.clustering_of(matches.query.gallery)
    steady = view.splits <= SPLITS_AT_FIRST + SPLITS_A_SIGHTING * view.enrolled
    asked: list[str] = []
    if guaranteed and steady and clustering and len(comparisons.numbers):
        named = [verdict.individual] if verdict.individual else []
        asked = [*named, *(each.individual for each in ranked)]
    anchors = [ranked[0].best.candidate.sighting_id] if verdict.individual else []
    companions = {
        name: individual
        for name, individual in view.companions.items()
        if individual not in view.taken
    }
    if companions:
        latest = list(companions)[-1]
        anchors.append(latest)
        if not verdict.individual:
            verdict = Verdict(OUTCOME_KNOWN, companions[latest], verdict.probability)
        asked = [verdict.individual, *companions.values(), *asked]
    asked = list(dict.fromkeys(asked))
    return RankedQuery(verdict, ranked, comparisons, asked, curve, tuple(anchors), view.enrolled)


def resolve_query(
    matches: Matches,
    ranked_query: RankedQuery,
    groups: Mapping[str, Group],
    calibration: Calibration,
    *,
    taken: Collection[str] = (),
    differ: Collection[frozenset[str]] = (),
) -> Resolved:
    """Return what to decide about a query, given the sightings of the individuals in question.

    `taken` are the individuals of other animals in its image; the pairs in `differ` are known to be
    different.
    """
    verdict = ranked_query.verdict
    if verdict == UNIDENTIFIABLE:
        return Resolved(verdict, "", (), {})
    members, revisions = _members(ranked_query.asked, groups)
    clustering = calibration.clustering_of(matches.query.gallery)
    if not members or clustering is None:
        individual = verdict.individual or FOUNDED
        return Resolved(verdict, individual, (), {}, anchors=ranked_query.anchors)
    query = Member(
        sighting=matches.query.sighting_id,
        number=0,
        image=image_of(matches.query),
        comparisons=ranked_query.comparisons,
        anchors=ranked_query.anchors,
        individual=verdict.individual,
    )
    whole = {name for name in revisions if groups[name].count > MAX_SIGHTINGS_OF_ONE}
    apart = {*differ, *(frozenset(("", name)) for name in taken)}
    found = resolve(query, members, clustering, whole, differ=apart, enrolled=ranked_query.enrolled)
    if not found.individual.startswith("+") and verdict.outcome != OUTCOME_KNOWN:
        # It joins below the threshold, so no guarantee applies.
        verdict = replace(verdict, outcome=OUTCOME_REVIEW)
    return Resolved(
        verdict, found.individual, _changes(found), revisions, found.questions, ranked_query.anchors
    )


def _members(
    asked: Sequence[str], groups: Mapping[str, Group]
) -> tuple[list[Member], dict[str, str]]:
    """Return the sightings of the individuals in question that the ledger returned."""
    members: list[Member] = []
    revisions = {}
    for name in asked:
        group = groups.get(name)
        if group is None or not group.sightings:
            continue
        revisions[name] = group.revision
        members += members_of(name, group)
    return members, revisions


def members_of(individual: str, group: Group) -> list[Member]:
    """Return an individual's sightings for clustering."""
    return [Member(**vars(each), individual=individual) for each in group.sightings]


def _changes(found: Resolution) -> list[Change]:
    merges = [Change(individual=each.individual, into=each.into) for each in found.merges]
    splits = [
        Change(individual=each.individual, into=each.into, sightings=each.sightings)
        for each in found.splits
    ]
    return [*merges, *splits]
