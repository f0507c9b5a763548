"""The order in which questions are asked."""

from services.registry.identity.question import Question
from services.registry.ledger.reader import by_worth


def question(one: str, other: str, log_odds: float = 0.0) -> Question:
    return Question(one, other, log_odds, f"s{one}", f"s{other}")


def test_questions_of_one_neighbourhood_follow_each_other_the_most_valuable_first() -> None:
    sizes = {"a": 9, "b": 9, "c": 1, "d": 5, "e": 5, "f": 1}
    asked = [
        question("c", "f", 2.0),
        question("b", "c"),
        question("d", "e"),
        question("a", "b"),
        question("a", "gone"),
    ]
    found = [(each.one, each.other) for each in by_worth(asked, sizes)]
    assert found == [("a", "b"), ("b", "c"), ("c", "f"), ("d", "e")]
