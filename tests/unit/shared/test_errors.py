from shared.errors import Poison, ResightError, Transient


def test_poison_carries_what_a_dead_letter_needs() -> None:
    poison = Poison("the box is outside the image", kind="box-outside-image", sightings=2)
    assert str(poison) == poison.reason == "the box is outside the image"
    assert (poison.kind, poison.sightings) == ("box-outside-image", 2)


def test_what_is_tried_again_is_never_what_is_given_up() -> None:
    assert issubclass(Transient, ResightError)
    assert not issubclass(Transient, Poison)
    assert not issubclass(Poison, Transient)
