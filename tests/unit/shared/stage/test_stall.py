import pytest

from shared.stage.stall import PartitionProgress, StallWatch

ONE = ("resight.sightings.v1", 0)
TWO = ("resight.sightings.v1", 1)


def test_a_partition_that_stands_still_with_records_left_is_stalled_after_the_limit() -> None:
    watch = StallWatch(60)
    assert watch.observe(0, {ONE: PartitionProgress(5, 9, paused=False)}) == frozenset()
    assert watch.observe(59, {ONE: PartitionProgress(5, 12, paused=False)}) == frozenset()
    assert watch.observe(60, {ONE: PartitionProgress(5, 12, paused=False)}) == {ONE}


def test_a_partition_without_a_position_stalls_too() -> None:
    watch = StallWatch(60)
    watch.observe(0, {ONE: PartitionProgress(None, 9, paused=False)})
    assert watch.observe(60, {ONE: PartitionProgress(None, 9, paused=False)}) == {ONE}


@pytest.mark.parametrize(
    "between",
    [
        PartitionProgress(6, 9, paused=False),
        PartitionProgress(5, 9, paused=True),
        PartitionProgress(9, 9, paused=False),
        None,
    ],
    ids=["advanced", "paused", "at the end", "not assigned"],
)
def test_the_clock_of_a_partition_starts_again_when_it(between: PartitionProgress | None) -> None:
    watch = StallWatch(60)
    watch.observe(0, {ONE: PartitionProgress(5, 9, paused=False)})
    watch.observe(50, {ONE: between} if between else {})
    assert watch.observe(70, {ONE: PartitionProgress(5, 9, paused=False)}) == frozenset()


def test_partitions_are_watched_one_by_one() -> None:
    watch = StallWatch(60)
    watch.observe(
        0, {ONE: PartitionProgress(5, 9, paused=False), TWO: PartitionProgress(1, 9, paused=False)}
    )
    later = {ONE: PartitionProgress(5, 9, paused=False), TWO: PartitionProgress(2, 9, paused=False)}
    assert watch.observe(60, later) == {ONE}


def test_after_forgetting_the_limit_runs_anew() -> None:
    watch = StallWatch(60)
    still = {ONE: PartitionProgress(5, 9, paused=False)}
    watch.observe(0, still)
    watch.forget()
    assert watch.observe(60, still) == frozenset()
    assert watch.observe(120, still) == {ONE}


def test_lag_counts_what_waits_and_is_never_negative() -> None:
    assert PartitionProgress(5, 9, paused=True).lag == 4
    assert PartitionProgress(9, 5, paused=False).lag == 0
    assert PartitionProgress(None, 9, paused=False).lag == 0
