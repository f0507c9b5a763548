from shared.stage.dead_letter_limit import DeadLetterLimit


def test_a_few_are_always_in_order() -> None:
    limit = DeadLetterLimit(count=5, share=0.5, latest=100)
    assert all(limit.refusal([True]) == "" for _ in range(5))
    assert limit.refusal([True]).startswith("6 of the latest 6 records could not be handled")


def test_many_among_more_good_ones_are_in_order() -> None:
    limit = DeadLetterLimit(count=5, share=0.5, latest=100)
    assert all(limit.refusal([True, False]) == "" for _ in range(200))


def test_what_was_long_ago_does_not_excuse() -> None:
    limit = DeadLetterLimit(count=5, share=0.5, latest=20)
    assert limit.refusal([False] * 1000) == ""
    answers = [limit.refusal([True]) for _ in range(12)]
    assert answers[:10] == [""] * 10
    assert "11 of the latest 20" in answers[10]


def test_what_is_refused_may_be_asked_again_and_good_records_never_are() -> None:
    limit = DeadLetterLimit(count=1, share=0.5, latest=100)
    limit.refusal([True])
    assert limit.refusal([True]) == limit.refusal([True]) != ""
    assert limit.refusal([False] * 3) == ""
