"""Individuals that may be one stand side by side."""

from services.registry.review.likeness import Twin, by_likeness, twins


def test_the_likeliest_neighbourhood_comes_first_and_those_like_no_other_last() -> None:
    likeness = {("b", "e"): 0.2, ("c", "f"): 0.9}
    assert by_likeness(list("abcdef"), likeness) == ["c", "f", "b", "e", "a", "d"]


def test_inside_a_neighbourhood_neighbours_are_alike() -> None:
    likeness = {("a", "d"): 0.9, ("b", "e"): 0.8, ("d", "b"): 0.3, ("c", "e"): 0.5}
    order = by_likeness(list("abcde"), likeness)
    assert set(order) == set("abcde")
    places = {name: index for index, name in enumerate(order)}
    for one, other in (("a", "d"), ("b", "e")):
        assert abs(places[one] - places[other]) == 1
    assert by_likeness(list("edcba"), likeness) in (order, order[::-1])


def test_individuals_that_are_not_shown_do_not_matter() -> None:
    assert by_likeness(["a", "b"], {("a", "x"): 0.9, ("x", "b"): 0.9}) == ["a", "b"]
    assert by_likeness([], {}) == []


def test_a_twin_is_the_most_similar_other() -> None:
    found = twins({("a", "b"): 0.2, ("b", "c"): 0.7})
    assert found == {"a": Twin("b", 0.2), "b": Twin("c", 0.7), "c": Twin("b", 0.7)}
