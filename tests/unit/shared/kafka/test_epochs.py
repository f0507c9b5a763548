"""What is of an earlier epoch no longer counts once a later one was heard of."""

from shared.kafka.epochs import LatestEpoch


def test_the_latest_epoch_that_was_heard_of_counts() -> None:
    latest = LatestEpoch()
    assert not latest.begins("")
    heard = ["", "1-a", "1-a", "", "2-b", "1-a", "2-b"]
    assert [latest.counts(each) for each in heard] == [True, True, True, False, True, False, True]
    assert latest.begins("3-c")
    assert not latest.begins("2-b")
