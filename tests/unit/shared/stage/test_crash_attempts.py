"""A service that is ended by records, life after life, with the real rules and no broker."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from shared.records import Record
from shared.stage.crash_attempts import CrashAttempt, CrashAttempts
from shared.stage.stall import Partition

PLACE = ("captures", 0)
LIMIT, SPAN = 3, 4


def record(offset: int, partition: int = 0) -> Record:
    return Record("captures", partition, offset, None, b"", 0)


@dataclass
class Broker:
    """Partitions of records, some of which end whoever handles them; and what it keeps."""

    records: dict[int, int]
    killers: set[tuple[int, int]]
    gaps: frozenset[int] = frozenset()
    committed: dict[Partition, int] = field(default_factory=dict)
    notes: dict[Partition, CrashAttempt] = field(default_factory=dict)
    handled: list[tuple[int, int]] = field(default_factory=list)
    given_up: list[tuple[int, int]] = field(default_factory=list)

    def life(self) -> bool:
        """Run a service until a record ends it; False: everything is handled."""
        crash_attempts = CrashAttempts(LIMIT, SPAN)
        starts = {("captures", p): self.committed.get(("captures", p), 0) for p in self.records}
        crash_attempts.begin(starts, self.notes)
        while waiting := self._waiting():
            batch = waiting[: crash_attempts.together(waiting)]
            self.notes.update(crash_attempts.to_note(batch))
            condemned = [each for each in batch if crash_attempts.condemned(each)]
            for each in batch:
                if each not in condemned and (each.partition, each.offset) in self.killers:
                    return True
            for each in batch:
                kept = self.given_up if each in condemned else self.handled
                kept.append((each.partition, each.offset))
                self.committed[each.topic, each.partition] = each.offset + 1
            self.notes.update(crash_attempts.passed(batch))
        return False

    def _waiting(self) -> list[Record]:
        return [
            record(offset, partition)
            for partition, count in self.records.items()
            for offset in range(self.committed.get(("captures", partition), 0), count)
            if offset not in self.gaps
        ][:SPAN]


@given(
    st.dictionaries(st.integers(0, 2), st.integers(1, 9), min_size=1),
    st.sets(st.tuples(st.integers(0, 2), st.integers(0, 8)), max_size=4),
    st.frozensets(st.integers(0, 8), max_size=4),
)
def test_killers_are_given_up_everything_else_is_handled_and_it_comes_to_an_end(
    records: dict[int, int], killers: set[tuple[int, int]], gaps: frozenset[int]
) -> None:
    broker = Broker(records, killers, gaps)
    crashes = 1
    while broker.life():
        crashes += 1
        assert crashes <= 1 + (LIMIT + 2) * len(killers)
    there = {(p, o) for p, count in records.items() for o in range(count) if o not in gaps}
    assert set(broker.given_up) == killers & there
    assert set(broker.handled) == there - killers


def test_the_first_record_of_a_life_is_given_up_after_exactly_the_limit() -> None:
    broker = Broker({0: 1}, {(0, 0)})
    assert [broker.life() for _ in range(LIMIT + 1)] == [True] * LIMIT + [False]


def test_a_record_is_not_blamed_for_ends_before_which_others_stood_first() -> None:
    crash_attempts = CrashAttempts(LIMIT, SPAN)
    crash_attempts.begin({PLACE: 5}, {PLACE: CrashAttempt(4, LIMIT)})
    assert crash_attempts.condemned(record(5)) is None
    assert crash_attempts.together([record(5), record(6)]) == 2


def test_after_a_violent_end_records_go_one_by_one_as_far_as_a_batch_may_reach() -> None:
    crash_attempts = CrashAttempts(LIMIT, SPAN)
    crash_attempts.begin({PLACE: 5}, {PLACE: CrashAttempt(5, 1)})
    for offset in range(5, 5 + SPAN):
        waiting = [record(each) for each in range(offset, offset + 3)]
        assert crash_attempts.together(waiting) == 1
        assert crash_attempts.to_note(waiting[:1]) == {
            PLACE: CrashAttempt(offset, 2 if offset == 5 else 1)
        }
        crash_attempts.passed(waiting[:1])
    assert crash_attempts.together([record(9), record(10)]) == 2


def test_a_life_that_goes_on_is_not_counted() -> None:
    crash_attempts = CrashAttempts(LIMIT, SPAN)
    crash_attempts.begin({PLACE: 5}, {})
    notes = crash_attempts.to_note([record(5)])
    crash_attempts.begin({PLACE: 5}, notes)  # a rebalance brings the same record again
    assert crash_attempts.to_note([record(5)]) == {PLACE: CrashAttempt(5, 1)}


def test_what_is_put_back_is_not_held_against_it() -> None:
    crash_attempts = CrashAttempts(LIMIT, SPAN)
    crash_attempts.begin({PLACE: 5}, {PLACE: CrashAttempt(5, 2)})
    crash_attempts.to_note([record(5)])
    assert crash_attempts.to_withdraw([record(5)]) == {PLACE: CrashAttempt(5, 2)}


def test_a_service_that_works_notes_nothing() -> None:
    crash_attempts = CrashAttempts(LIMIT, SPAN)
    crash_attempts.begin({PLACE: 0}, {})
    crash_attempts.to_note([record(0)])
    assert crash_attempts.passed([record(0)]) == {PLACE: CrashAttempt(1, 0)}
    assert crash_attempts.to_note([record(1)]) == {}
    assert crash_attempts.passed([record(1)]) == {}
