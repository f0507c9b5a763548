from services.registry.identity.membership import Membership
from shared.messages import Change, Decision


def decision(name: str, individual: str, *changes: Change) -> Decision:
    return Decision(
        sighting_id=name,
        individual=individual,
        enrolment_number=1 if individual else 0,
        changes=changes,
    )


def test_decisions_in_order_tell_who_is_who() -> None:
    told = Membership(
        [
            decision("a", "one"),
            decision("b", "two"),
            decision("c", "two"),
            decision("blank", ""),
            decision("d", "one", Change(individual="two", into="three", sightings=["c"])),
            decision("e", "one", Change(individual="two", into="one")),
        ]
    )
    assert told.members == {"a": "one", "b": "one", "c": "three", "d": "one", "e": "one"}
    assert told.groups == {"one": {"a", "b", "d", "e"}, "three": {"c"}}
    assert told.founded == ["one", "two", "three"]
    assert told.successors == {"two": "one"}


def test_what_belongs_to_nobody_may_come_back() -> None:
    founded = [decision("a", "one"), decision("b", "two")]
    gone = decision("operation:1", "", Change(individual="one", into="", sightings=["a"]))
    told = Membership([*founded, gone])
    assert (told.members, told.groups) == ({"b": "two"}, {"two": {"b"}})
    assert told.successors == {"one": ""}
    told.apply(decision("operation:2", "", Change(individual="", into="one", sightings=["a"])))
    assert told.members == {"a": "one", "b": "two"}
    assert (told.founded, told.successors) == (["one", "two"], {})


def test_a_decision_of_an_earlier_version_in_doubt_belongs_nowhere() -> None:
    assert Membership([decision("a", "")]).members == {}
