"""A service that is ended by records, life after life, with the real rules and no broker."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from shared.records import Record
from shared.stage.crash_attempts import Suspects, Suspicion
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
    notes: dict[Partition, Suspicion] = field(default_factory=dict)
    handled: list[tuple[int, int]] = field(default_factory=list)
    given_up: list[tuple[int, int]] = field(default_factory=list)

    def life(self) -> bool:
        """Run a service until a record ends it; False: everything is handled."""
        suspects = Suspects(LIMIT, SPAN)
        starts = {("captures", p): self.committed.get(("captures", p), 0) for p in self.records}
        suspects.begin(starts, self.notes)
        while waiting := self._waiting():
            batch = waiting[: suspects.together(waiting)]
            self.notes.update(suspects.to_note(batch))
            condemned = [each for each in batch if suspects.condemned(each)]
            for each in batch:
                if each not in condemned and (each.partition, each.offset) in self.killers:
                    return True
            for each in batch:
                kept = self.given_up if each in condemned else self.handled
                kept.append((each.partition, each.offset))
                self.committed[each.topic, each.partition] = each.offset + 1
            self.notes.update(suspects.passed(batch))
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
    lives = 1
    while broker.life():
        lives += 1
        assert lives <= 1 + (LIMIT + 2) * len(killers)
    there = {(p, o) for p, count in records.items() for o in range(count) if o not in gaps}
    assert set(broker.given_up) == killers & there
    assert set(broker.handled) == there - killers


def test_the_first_record_of_a_life_is_given_up_after_exactly_the_limit() -> None:
    broker = Broker({0: 1}, {(0, 0)})
    assert [broker.life() for _ in range(LIMIT + 1)] == [True] * LIMIT + [False]


def test_a_record_is_not_blamed_for_ends_before_which_others_stood_first() -> None:
    suspects = Suspects(LIMIT, SPAN)
    suspects.begin({PLACE: 5}, {PLACE: Suspicion(4, LIMIT)})
    assert suspects.condemned(record(5)) is None
    assert suspects.together([record(5), record(6)]) == 2


def test_after_a_violent_end_records_go_one_by_one_as_far_as_a_batch_may_reach() -> None:
    suspects = Suspects(LIMIT, SPAN)
    suspects.begin({PLACE: 5}, {PLACE: Suspicion(5, 1)})
    for offset in range(5, 5 + SPAN):
        waiting = [record(each) for each in range(offset, offset + 3)]
        assert suspects.together(waiting) == 1
        assert suspects.to_note(waiting[:1]) == {PLACE: Suspicion(offset, 2 if offset == 5 else 1)}
        suspects.passed(waiting[:1])
    assert suspects.together([record(9), record(10)]) == 2


def test_a_life_that_goes_on_is_not_counted() -> None:
    suspects = Suspects(LIMIT, SPAN)
    suspects.begin({PLACE: 5}, {})
    notes = suspects.to_note([record(5)])
    suspects.begin({PLACE: 5}, notes)  # a rebalance brings the same record again
    assert suspects.to_note([record(5)]) == {PLACE: Suspicion(5, 1)}


def test_what_is_put_back_is_not_held_against_it() -> None:
    suspects = Suspects(LIMIT, SPAN)
    suspects.begin({PLACE: 5}, {PLACE: Suspicion(5, 2)})
    suspects.to_note([record(5)])
    assert suspects.to_withdraw([record(5)]) == {PLACE: Suspicion(5, 2)}


def test_a_service_that_works_notes_nothing() -> None:
    suspects = Suspects(LIMIT, SPAN)
    suspects.begin({PLACE: 0}, {})
    suspects.to_note([record(0)])
    assert suspects.passed([record(0)]) == {PLACE: Suspicion(1, 0)}
    assert suspects.to_note([record(1)]) == {}
    assert suspects.passed([record(1)]) == {}
