from hypothesis import given
from hypothesis import strategies as st

from shared.records import Record
from shared.stage.batch_consumer import Delivery, cut
from shared.stage.stall import Partition


def delivery(partition: int, offset: int, size: int) -> Delivery:
    return Delivery(Record("t", partition, offset, None, b"x" * size, 0), leader_epoch=0)


def test_a_message_larger_than_the_limit_comes_alone() -> None:
    first, second = delivery(0, 0, 100), delivery(0, 1, 1)
    assert cut({("t", 0): [first, second]}, 10) == ([first], {("t", 0): 1})


@given(
    sizes=st.dictionaries(
        st.integers(0, 3), st.lists(st.integers(0, 50), min_size=1, max_size=6), min_size=1
    ),
    limit=st.integers(1, 120),
)
def test_nothing_is_skipped_and_the_bytes_stay_bounded(
    sizes: dict[int, list[int]], limit: int
) -> None:
    polled: dict[Partition, list[Delivery]] = {
        ("t", number): [delivery(number, offset, size) for offset, size in enumerate(column)]
        for number, column in sizes.items()
    }
    taken, rest = cut(polled, limit)
    assert taken
    assert len(taken) == 1 or sum(item.size for item in taken) <= limit
    for partition, deliveries in polled.items():
        ours = [item.record.offset for item in taken if item.record.partition == partition[1]]
        assert ours == list(range(rest.get(partition, len(deliveries))))
