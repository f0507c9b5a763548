"""What a decision changes about others: merged and split individuals, in one atomic call."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.registry.features.comparisons import Comparisons
from services.registry.identity.entry import Entry
from services.registry.identity.membership import Membership
from services.registry.identity.sighting import enrolment_of
from services.registry.identity.view import Apart, Conflict, Refusal
from services.registry.ledger.audit import check
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.store import LedgerError
from shared.messages import OUTCOME_KNOWN, OUTCOME_NEW, OUTCOME_REVIEW, Change, Decision
from tests.support.queries import GALLERY, evidence, ledger_at, sighting

GALLERIES = (f"default/kind-{number}" for number in itertools.count())


def decide(
    ledger: Ledger,
    name: str,
    individual: str = "+0",
    changes: Sequence[Change] = (),
    *,
    image: str = "",
    gallery: str = GALLERY,
    revisions: dict[str, str] | None = None,
) -> Entry | Refusal | Conflict | Apart:
    """Decide about one sighting with all others compared."""
    query = sighting(name, image=image, gallery=gallery)
    return ledger.decide(
        Decision(
            gallery=gallery,
            sighting_id=name,
            image_sha256=query.image_sha256,
            outcome=OUTCOME_NEW if individual.startswith("+") else OUTCOME_REVIEW,
            individual=individual,
            changes=changes,
        ),
        enrolment_of(query),
        ledger.count(gallery, "enrolments"),
        revisions=revisions,
    )


def zebra(number: int) -> str:
    return f"plains-zebra-{number:04d}"


def test_a_merged_individual_gives_its_sightings_and_its_name_away(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for name in "abc":
        decide(ledger, name)
    merge = Change(individual=zebra(2), into=zebra(1))
    entry = decide(ledger, "d", zebra(1), [merge])
    assert isinstance(entry, Entry)
    assert list(entry.decision.changes) == [merge]
    assert ledger.individuals(GALLERY) == {zebra(1): ["a", "b", "d"], zebra(3): ["c"]}
    assert ledger.look(GALLERY, "e", "", ["b"]).members == {"b": zebra(1)}
    assert decide(ledger, "e", zebra(2)) == Conflict()
    assert ledger.count(GALLERY, "individuals") == 2
    assert check(ledger, GALLERY) == []


def test_a_split_founds_an_individual_that_the_query_may_join(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a")
    for name in "bc":
        decide(ledger, name, zebra(1))
    moved = [
        Change(individual=zebra(1), into="+0", sightings=["b"]),
        Change(individual=zebra(1), into="+1", sightings=["c"]),
    ]
    entry = decide(ledger, "d", "+1", moved)
    assert isinstance(entry, Entry)
    assert [change.into for change in entry.decision.changes] == [zebra(2), zebra(3)]
    assert entry.decision.individual == zebra(3)
    assert ledger.individuals(GALLERY) == {
        zebra(1): ["a"],
        zebra(2): ["b"],
        zebra(3): ["c", "d"],
    }
    assert list(ledger.entries(GALLERY))[-1] == entry
    view = ledger.look(GALLERY, "e", "", [])
    assert (view.enrolled, view.splits) == (4, 2)
    assert check(ledger, GALLERY) == []


def test_what_rests_on_an_individual_that_has_changed_is_a_conflict(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a")
    before = ledger.groups(GALLERY, [zebra(1)], 10, 10)[zebra(1)]
    decide(ledger, "b", zebra(1))
    assert decide(ledger, "c", revisions={zebra(1): before.revision}) == Conflict()
    now = ledger.groups(GALLERY, [zebra(1)], 10, 10)[zebra(1)]
    assert isinstance(decide(ledger, "c", revisions={zebra(1): now.revision}), Entry)


def test_two_animals_of_one_image_never_become_one(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a", image="herd")
    decide(ledger, "b", image="herd")
    merge = Change(individual=zebra(2), into=zebra(1))
    assert decide(ledger, "c", "+0", [merge]) == Apart(zebra(2), zebra(1))
    split = Change(individual=zebra(2), into=zebra(1), sightings=["b"])
    assert decide(ledger, "c", "+0", [split]) == Apart(zebra(2), zebra(1))
    assert ledger.individuals(GALLERY) == {zebra(1): ["a"], zebra(2): ["b"]}


def test_a_query_does_not_join_what_its_image_shows_after_a_merge(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a")
    decide(ledger, "b", image="herd")
    merge = Change(individual=zebra(2), into=zebra(1))
    assert decide(ledger, "c", zebra(1), [merge], image="herd") == Conflict()


def test_a_group_has_its_latest_sightings_with_what_they_were_compared_with(
    ledger_url: str,
) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a")
    found = evidence("a", same=True, number=1)
    compared = Comparisons.of([found], {})
    query = sighting("b", image="of b")
    ledger.decide(
        Decision(
            gallery=GALLERY,
            sighting_id="b",
            image_sha256="of b",
            outcome=OUTCOME_KNOWN,
            individual=zebra(1),
        ),
        enrolment_of(query),
        1,
        comparisons=compared,
        anchors=["a", "z"],
        encounter="burst",
    )
    group = ledger.groups(GALLERY, [zebra(1), "nobody"], 10, 1)[zebra(1)]
    assert group.count == 2
    [latest] = group.sightings
    assert (latest.sighting, latest.number, latest.image) == ("b", 2, "of b")
    assert latest.anchors == ("a", "z")
    assert np.array_equal(latest.comparisons.features, compared.features)
    view = ledger.look(GALLERY, "c", "", ["b"], "burst")
    assert view.companions == {"b": zebra(1)}
    assert ledger.look(GALLERY, "c", "", ["b"]).companions == {}
    statistics = view.candidate_statistics["b"]
    assert statistics.median == pytest.approx(compared.statistics.median)


def test_individuals_are_read_as_far_as_there_is_room(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for name, individual in zip("abcd", ("+0", zebra(1), "+0", "+0"), strict=True):
        decide(ledger, name, individual)
    found = ledger.groups(GALLERY, [zebra(2), zebra(1), zebra(3)], 2, 10)
    assert [[each.sighting for each in group.sightings] for group in found.values()] == [
        *(["c"], [], ["d"])
    ]
    assert [group.count for group in found.values()] == [1, 2, 1]


def test_a_ledger_of_an_earlier_version_is_brought_up_to_this_one(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a", image="herd")
    decide(ledger, "b", image="herd")
    decide(ledger, "c", zebra(1))
    with redis.Redis.from_url(ledger_url) as client:
        for name in ("groups", "records", "revisions", "standings"):
            client.delete(f"resight:{{{GALLERY}}}:{name}")
        for name in (zebra(1), zebra(2)):
            client.delete(f"resight:{{{GALLERY}}}:groups:{name}")
        # An image had its individuals, not its sightings.
        herd = f"{zebra(1)}\n{zebra(2)}\n"
        client.hset(f"resight:{{{GALLERY}}}:captures", "herd", herd)
    for _ in range(2):
        ledger = ledger_at(ledger_url)
        assert ledger.individuals(GALLERY) == {zebra(1): ["a", "c"], zebra(2): ["b"]}
    with redis.Redis.from_url(ledger_url) as client:  # as if it had been interrupted
        client.hdel(f"resight:{{{GALLERY}}}:records", "c")
        client.hset(f"resight:{{{GALLERY}}}:groups", zebra(1), "a\n")
        client.delete(f"resight:{{{GALLERY}}}:groups:{zebra(1)}")
        client.hdel(f"resight:{{{GALLERY}}}:counters", "form")
    ledger = ledger_at(ledger_url)
    assert ledger.individuals(GALLERY) == {zebra(1): ["a", "c"], zebra(2): ["b"]}
    group = ledger.groups(GALLERY, [zebra(1)], 10, 10)[zebra(1)]
    kept = [(each.number, each.image) for each in group.sightings]
    assert kept == [(1, "herd"), (3, "image of c")]
    assert ledger.look(GALLERY, "d", "herd", []).taken == {zebra(1), zebra(2)}
    merge = Change(individual=zebra(2), into=zebra(1))
    assert decide(ledger, "d", "+0", [merge]) == Apart(zebra(2), zebra(1))
    assert isinstance(decide(ledger, "d", zebra(1)), Entry)
    assert check(ledger, GALLERY) == []


def test_sightings_that_an_earlier_version_kept_as_a_text_become_a_list(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a")
    decide(ledger, "b", zebra(1))
    decide(ledger, "c")
    before = ledger.individuals(GALLERY)
    with redis.Redis.from_url(ledger_url) as client:
        for name, sightings in before.items():
            client.delete(f"resight:{{{GALLERY}}}:groups:{name}")
            text = "".join(f"{each}\n" for each in sightings)
            client.hset(f"resight:{{{GALLERY}}}:groups", name, text)
        client.hdel(f"resight:{{{GALLERY}}}:counters", "form")
    with pytest.raises(LedgerError, match="earlier version"):
        decide(ledger, "d", zebra(1))  # nothing of it was written
    for _ in range(2):
        ledger = ledger_at(ledger_url)
        assert ledger.individuals(GALLERY) == before
    decide(ledger, "d", zebra(1))
    assert ledger.sizes(GALLERY) == {zebra(1): 3, zebra(2): 1}
    assert check(ledger, GALLERY) == []


def test_a_decision_writes_as_much_however_many_sightings_the_individual_has(
    ledger_url: str,
) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a")

    def written(names: Sequence[str]) -> int:
        with redis.Redis.from_url(ledger_url) as client:
            before = client.info("persistence")["aof_current_size"]
            for name in names:
                decide(ledger, name, zebra(1))
            return int(client.info("persistence")["aof_current_size"] - before)

    few = written([f"few {number:05d}" for number in range(20)])
    written([f"more {number:05d}" for number in range(1000)])
    many = written([f"far {number:05d}" for number in range(20)])
    assert many < 1.1 * few


@dataclass(frozen=True)
class Step:
    """One decision: where its sighting goes, and what it tries to change."""

    image: int
    joins: int
    merge: tuple[int, int] | None
    split: tuple[int, int] | None


steps = st.builds(
    Step,
    image=st.integers(0, 8),
    joins=st.integers(-3, 6),
    merge=st.none() | st.tuples(st.integers(0, 6), st.integers(0, 6)),
    split=st.none() | st.tuples(st.integers(0, 6), st.integers(0, 6)),
)


def _changes(step: Step, told: Membership) -> list[Change]:
    """What a step changes among the individuals that there are; nothing if there are none."""
    names = sorted(told.groups)
    found: list[Change] = []
    if step.merge and names:
        gone, into = (names[at % len(names)] for at in step.merge)
        if gone != into:
            found.append(Change(individual=gone, into=into))
            names.remove(gone)
    if step.split and names:
        source = names[step.split[0] % len(names)]
        members = sorted(told.groups[source])
        if len(members) > 1:
            names.remove(source)
            into = [*names, "+1"][step.split[1] % (len(names) + 1)]
            found.append(Change(individual=source, into=into, sightings=members[:1]))
    return found


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(calls=st.lists(steps, max_size=30))
def test_any_changes_leave_a_ledger_as_its_entries_tell_it(
    ledger_url: str, calls: Sequence[Step]
) -> None:
    gallery = next(GALLERIES)
    ledger, told = ledger_at(ledger_url), Membership()
    images: dict[str, str] = {}
    for number, step in enumerate(calls):
        name, image = f"s{number}", f"i{step.image}"
        changes = _changes(step, told)
        gone = {change.individual for change in changes if not change.sightings}
        names = sorted(set(told.groups) - gone)
        joined = names[step.joins] if 0 <= step.joins < len(names) else "+0"
        # A split that founds counts on from what the query founds.
        if joined != "+0":
            for change in changes:
                change.into = "+0" if change.into == "+1" else change.into
        answer = decide(ledger, name, joined, changes, image=image, gallery=gallery)
        if isinstance(answer, Entry):
            told.apply(answer.decision)
            images[name] = image
            assert decide(ledger, name, gallery=gallery) == answer
        pairs = itertools.combinations(images, 2)
        for one, other in pairs:
            if images[one] == images[other]:
                assert told.members[one] != told.members[other]
    assert ledger.members(gallery) == told.members
    assert check(ledger, gallery) == []
